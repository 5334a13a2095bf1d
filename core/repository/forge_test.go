package repository

import (
	"context"

	"github.com/lmsvault/vault/core/repository/manifest"
)

// ForgeRemoval stores a removal record like an attacker who has the repository's key and
// write access to the storage.
func ForgeRemoval(ctx context.Context, r *Repository, id string, key manifest.SigningKey) (*Removal, error) {
	e, err := r.generation(ctx, r.kids[0])
	if err != nil {
		return nil, err
	}
	return putRemoval(ctx, r.storage, e, "forged", []Removed{{ID: id}}, key)
}
