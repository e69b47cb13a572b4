"""What the monitoring components share: settings types, text forms, where their objects go."""
