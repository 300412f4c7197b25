"""What follows a search: ``fmin(..., callbacks=[...])``.

Derive from :class:`Callback`; wrap in :class:`Background` what takes its time.
:class:`SearchSettings` is what a callback is told of the search's arguments.
"""

from sparktuner.driver import Background, Callback, SearchSettings

__all__ = ["Callback", "Background", "SearchSettings"]
