"""Access logs of Apache and nginx, common and combined, with or without a virtual host and fields of one's own.

    [vhost ]host ident user [dd/Mon/yyyy:HH:MM:SS +zzzz] "request" status bytes[ "referer" "user agent"][ extra]

``lines`` finds the quotes; ``clock``, ``head``, ``request`` and ``response`` each read their part of every line at
once. Regular parts, nearly all of them, are read by words of eight characters at known distances from the quotes; odd
ones by a regular expression that Arrow runs over just those. What cannot be read is said by a `Reason`.
"""
