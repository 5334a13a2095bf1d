package repository

import (
	"context"

	"github.com/lmsvault/vault/core/repository/manifest"
)

// ForgeRemoval stores the record of a removal, as somebody would who can write to
// the storage and has the repository's key.
func ForgeRemoval(ctx context.Context, r *Repository, id string, key manifest.SigningKey) (*Removal, error) {
	e, err := r.generation(ctx, r.kids[0])
	if err != nil {
		return nil, err
	}
	return putRemoval(ctx, r.storage, e, "forged", []Removed{{ID: id}}, key)
}
