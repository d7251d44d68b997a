package cli

import (
	"fmt"

	"parley/adapters"
	"parley/bots"
	"parley/config"
)

// deskOf is where a merchant's staff work beside the inbox.
func deskOf(m config.Merchant) []bots.DeskRoom {
	var rooms []bots.DeskRoom
	for _, d := range m.Desk {
		rooms = append(rooms, bots.DeskRoom{Account: d.Account, Room: d.Room})
	}
	return rooms
}

// fitForDesk finds rooms on accounts whose network has none.
func fitForDesk(m bots.Merchant) error {
	for _, d := range m.Desk {
		for _, a := range m.Accounts {
			if _, ok := a.Messenger.(adapters.Room); a.Name == d.Account && !ok {
				return fmt.Errorf("desk: %s has no rooms in which staff could work; name an account on another messenger", a.Channel)
			}
		}
	}
	return nil
}
