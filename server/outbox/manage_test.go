package outbox

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nowserving/nowserving/hub/wire"
)

func TestDisabledByHandAndBack(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		target := r.queueHook(hook)
		r.world.set(fails(500))
		r.ticket("before")
		synctest.Wait()
		for range 2 { // twice is once
			if err := r.Disable(context.Background(), target.ID, ByHand); err != nil {
				t.Fatal(err)
			}
		}
		r.ticket("meanwhile")
		time.Sleep(time.Hour)
		if n := len(r.world.at(hook)); n != 1 || r.List()[0].Disabled != ByHand || r.docs(lineDocs(target.ID)) != 0 {
			t.Errorf("%d requests, %+v", n, r.List()[0])
		}
		r2 := r.again(nil)
		defer r2.stop()
		if r2.List()[0].Disabled != ByHand {
			t.Error("a restart has enabled it")
		}
		r2.world.set(nil)
		if err := r2.Enable(context.Background(), target.ID); err != nil {
			t.Fatal(err)
		}
		r2.ticket("after")
		time.Sleep(time.Minute)
		if got := r2.visitors(hook); !strings.HasSuffix(got, " after") || strings.Contains(got, "meanwhile") {
			t.Errorf("told of %s", got)
		}
		if err := r2.Disable(context.Background(), "nobody", ByHand); wire.CodeOf(err) != wire.NotFound {
			t.Error(err)
		}
	})
}

func TestRetryNow(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		target := r.queueHook(hook)
		r.world.set(fails(500))
		r.ticket("Ida")
		time.Sleep(8 * time.Second) // the next attempt is half a minute away
		before := len(r.world.at(hook))
		r.world.set(nil)
		if err := r.RetryNow(target.ID); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := len(r.world.at(hook)); n != before+1 {
			t.Errorf("%d attempts more", n-before)
		}
		past, err := r.Deliveries(target.ID)
		if err != nil || len(past) != 1 || past[0].State != Delivered {
			t.Errorf("%+v %v", past, err)
		}
		if err := r.RetryNow("nobody"); wire.CodeOf(err) != wire.NotFound {
			t.Error(err)
		}
	})
}
