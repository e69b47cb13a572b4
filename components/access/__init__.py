"""Who may do what to an environment: rights.py has the facts, roles.py the manifests, component.py the component."""
