"""What each user group may use now, remembered until permissions or the inventory change."""

from __future__ import annotations

from queueserver_inventory.access import Access

from queueserver_manager.domain.inventory import Inventory
from queueserver_manager.domain.permissions.permissions import Permissions
from queueserver_manager.domain.validation.allowed import AllowedInventory
from queueserver_manager.operations.caller import Caller
from queueserver_manager.operations.commit.ledger import Ledger


class AllowedInventoryCache:
    """Follows the working copy, so a change that is about to be stored counts already."""

    def __init__(self, ledger: Ledger, default_group: str = "") -> None:
        """``default_group`` is the group for callers that send none; see :meth:`Permissions.acting_group`."""
        self._ledger = ledger
        self._default_group = default_group
        self._known: dict[str, AllowedInventory] = {}
        self._made_of: tuple[Inventory, Permissions] = ledger.inventory, ledger.permissions

    def for_group(self, group: str) -> AllowedInventory:
        """What a group may use, and so an item that was accepted of it. Raises GroupNotFound."""
        return self._of(self._ledger.permissions.access_for(group))

    def for_submitter(self, caller: Caller) -> AllowedInventory:
        """What a caller may use in a request. Raises GroupNotFound, GroupNotAccepted."""
        permissions = self._ledger.permissions
        group = permissions.acting_group(caller.user_group, self._default_group)
        return self._of(permissions.submitter_access(group, means_root=caller.means_root))

    def _of(self, access: Access) -> AllowedInventory:
        ledger = self._ledger
        if self._made_of[0] is not ledger.inventory or self._made_of[1] is not ledger.permissions:
            self._known.clear()
            self._made_of = ledger.inventory, ledger.permissions
        known = self._known.get(access.user_group)
        if known is None:
            known = self._known[access.user_group] = AllowedInventory(ledger.inventory, access)
        return known
