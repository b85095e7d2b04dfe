"""Access logs of Apache and nginx, common and combined, with or without a virtual host and further fields.

    [vhost ]host ident user [dd/Mon/yyyy:HH:MM:SS +zzzz] "request" status bytes[ "referer" "user agent"][ extra]

``line`` reads lines; a rejected line has a `Reason`. ``mismatch`` finds where a rejected line does not match.
"""
