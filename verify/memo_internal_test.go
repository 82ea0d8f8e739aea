package verify

import (
	"crypto/sha256"
	"fmt"
	"sync"
	"testing"
)

// TestMemoIsBounded remembers no more than it may, and of those the ones in use.
func TestMemoIsBounded(t *testing.T) {
	t.Parallel()
	var m memo
	name := func(i int) [sha256.Size]byte { return sha256.Sum256(fmt.Append(nil, i)) }
	m.remember(name(-1), signed{keyID: "in use"})
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 5 * maxMemo {
				id := 4*i + w
				m.remember(name(id), signed{keyID: fmt.Sprint(id)})
				if s, ok := m.get(name(id)); ok && s.keyID != fmt.Sprint(id) {
					t.Errorf("%d: got %s", id, s.keyID)
				}
				if i%100 == 0 {
					if _, ok := m.get(name(-1)); !ok {
						t.Error("one that is asked for all the time is forgotten")
					}
				}
			}
		})
	}
	wg.Wait()
	if n := len(m.newer) + len(m.older); n > 2*maxMemo {
		t.Errorf("%d tokens are remembered, want %d at most", n, 2*maxMemo)
	}
	if _, ok := m.get(name(0)); ok {
		t.Error("one that nobody asked for is remembered")
	}
}
