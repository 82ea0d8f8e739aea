package account

import (
	"context"
	"log/slog"
)

// Count counts an event of the service itself, by a name from the program's text. The nil
// Count counts nothing.
type Count func(ctx context.Context, event string)

// Add counts one event.
func (c Count) Add(ctx context.Context, event string) {
	if c != nil {
		c(ctx, event)
	}
}

// Breaches knows the passwords that have appeared in breaches of other services.
type Breaches interface {
	// Has says whether a password is among them. It lets nobody learn which it was.
	Has(ctx context.Context, password string) (bool, error)
}

// BreachCheck holds new passwords to what cannot be seen in them alone. The nil
// BreachCheck admits all.
type BreachCheck struct {
	Breaches Breaches
	Count    Count        // of UncheckedPasswords
	Logger   *slog.Logger // required
}

// Check refuses a normalized password that has appeared in a breach (NIST SP 800-63B
// section 3.1.1.2), with CodeInvalid on the field "password". Whoever sets a password calls
// it after [CheckPassword]. Where the breaches cannot be had the password is admitted:
// somebody else's outage must not be one of every sign-up here.
func (b *BreachCheck) Check(ctx context.Context, password string) error {
	if b == nil {
		return nil
	}
	breached, err := b.Breaches.Has(ctx, password)
	if err != nil {
		b.Logger.WarnContext(ctx, "a new password was not looked for in breaches", "err", err)
		b.Count.Add(ctx, "UncheckedPasswords")
		return nil
	}
	if breached {
		return ErrInvalid("password", "has appeared in a breach of another service; choose another")
	}
	return nil
}
