"""What ``vigla-rules check`` looks at: one module per kind of finding."""
