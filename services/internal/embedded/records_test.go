package embedded_test

import (
	"testing"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
)

func TestRecords(t *testing.T) {
	t.Parallel()
	accounttest.RunRecords(t, func(t *testing.T) account.Records { return open(t, t.TempDir()) })
}
