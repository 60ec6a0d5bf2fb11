"""The rules: what is wrong with a domain, each rule a function with its name, severity, who refuses and title above it.

A file a subject. A rule takes a Settled, gives the Problems that it finds, changes nothing and passes over values that
`parse` could not read (0 or None): those are findings already. Its docstring says why, with the source and since when;
its page in `rulebook` tells it to people. Those of `reading` find what cannot be read, and those of `advice` what works
and may still surprise.
"""
