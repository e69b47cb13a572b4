"""See component.py for the component, settings.py for its settings."""
