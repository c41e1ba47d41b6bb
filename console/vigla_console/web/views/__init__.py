"""The pages by subject. Each class holds `Pages` and names its routes; handlers read, ask a service, and answer."""
