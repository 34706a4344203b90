"""Whether an installation can do the work: one line a check, and the way out of what is wrong.

    examination   the checks, in their order
    finding       what a check has to say
    packages      Python, and what the package requires
    machine       cores, limits on threads, places that are written to, room
    imdb          the prepared reviews
    probes        processes that look at what may crash: backends, the compiler, the models
    probe         such a process

Nothing is imported here that an installation may have broken; processes of their own do that.
"""
