package adapters

import "context"

// Spread is implemented by a Messenger whose people are connected to whichever node of the installation they came to: Run runs on
// every node, while Send and Edit are called on one of them.
type Spread interface {
	// Refresh shows people of a chat who are connected here what another node has sent to them. Best effort; errors are logged at
	// debug.
	Refresh(ctx context.Context, chat string) error
}
