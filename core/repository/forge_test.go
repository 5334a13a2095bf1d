package repository

import "context"

// ForgeRemoval stores the record of a removal, as somebody would who can write to
// the storage and has the repository's key.
func ForgeRemoval(ctx context.Context, r *Repository, id string, key SigningKey) (*Removal, error) {
	e, err := r.epoch(ctx, r.kids[0])
	if err != nil {
		return nil, err
	}
	return putRemoval(ctx, r.storage, e, "forged", []Removed{{ID: id}}, key)
}
