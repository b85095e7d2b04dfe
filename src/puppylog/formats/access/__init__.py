"""Access logs of Apache and nginx, common and combined, with or without a virtual host and fields of one's own.

    [vhost ]host ident user [dd/Mon/yyyy:HH:MM:SS +zzzz] "request" status bytes[ "referer" "user agent"][ extra]

``line`` reads a line; a line that cannot be read has a `Reason`. ``mismatch`` finds the place in it for a person.
"""
