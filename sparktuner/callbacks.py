"""What follows a search: ``fmin(..., callbacks=[...])``.

Derive from :class:`Callback`; wrap in :class:`Background` what takes its time.
"""

from sparktuner.driver import Background, Callback

__all__ = ["Callback", "Background"]
