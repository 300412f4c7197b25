"""Stores that outlive the process: which one a URL names, and what they share.

In reading order: the codec (values as JSON text), blobs (attachments in pieces), rows
(documents as back ends keep them), and a module for each kind of store, imported on use.
"""

from sparktuner.stores._codec import Kept, Lost
from sparktuner.stores._open import open_store
from sparktuner.stores._urls import shown

__all__ = ["open_store", "shown", "Kept", "Lost"]
