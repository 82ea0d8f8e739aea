package deploy

import "context"

// Checks is what verify asks of AWS.
type Checks interface {
	// Caller gives the account and ARN of whose credentials these are.
	Caller(ctx context.Context) (account, arn string, err error)
}

// Verify is not there yet.
func (d *Deployment) Verify(context.Context) error { return nil }
