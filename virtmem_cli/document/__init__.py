"""The document as text and as a tree: bytes in, elements, their places in the text, and the text with changes out.

`tree` is the one parser, `source` knows where in the text an element is, `repair` changes the text there, `comments`
reads what silences a rule, `schema` asks libvirt's own. Nothing here knows what a domain means.
"""
