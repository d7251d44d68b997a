package bots

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"parley/commerce"
	"parley/conversation/flow"
	"parley/store"
)

// flowSets are the older flow sets that conversations are still pinned to, compiled when first needed.
type flowSets struct {
	mu   sync.Mutex
	sets map[string]*flow.Set // by hash: the hash is of the content, so merchants may share
}

// errNotCompiled says that a stored flow set is not one that this version takes.
var errNotCompiled = errors.New("the flows no longer compile")

// keepFlows stores the present flows of each merchant of a roster, so that a conversation that begins in them can end in them.
func (h *House) keepFlows(ctx context.Context, r *roster) error {
	return h.store.Tx(ctx, func(tx *store.Tx) error {
		for id, m := range r.merchants {
			if err := tx.SaveFlowSet(ctx, id, m.Flows.Hash, m.Flows.Files()); err != nil {
				return err
			}
		}
		return nil
	})
}

// pinned is the set of a hash that is not the present one.
func (f *flowSets) pinned(ctx context.Context, tx *store.Tx, merchant commerce.MerchantID, hash string) (*flow.Set, error) {
	f.mu.Lock()
	set := f.sets[hash]
	f.mu.Unlock()
	if set != nil {
		return set, nil
	}
	files, err := tx.FlowSet(ctx, merchant, hash)
	if err != nil {
		return nil, fmt.Errorf("flows that the conversation began in: %w", err)
	}
	set, problems := flow.LoadFiles(files)
	if flow.HasErrors(problems) {
		return nil, fmt.Errorf("flows that the conversation began in: %w: %v", errNotCompiled, problems[0])
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.sets == nil {
		f.sets = map[string]*flow.Set{}
	}
	f.sets[hash] = set
	return set, nil
}
