package dynamo_test

import (
	"testing"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
	"spillway.example/services/internal/dynamo"
)

func TestRecords(t *testing.T) {
	t.Parallel()
	s := dynamo.New(client(t), table)
	accounttest.RunRecords(t, func(*testing.T) account.Records { return s })
}
