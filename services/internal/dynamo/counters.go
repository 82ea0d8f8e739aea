package dynamo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/awserror"
)

var _ account.Counters = (*Store)(nil)

func counterKey(key string) string { return "count#" + key }

// counterItem is a counter as it is stored: times are in microseconds since 1970, but for
// the table's time to live. An attribute is missing where its time is zero.
type counterItem struct {
	Time0        int64 `dynamodbav:"time0"`
	Time1        int64 `dynamodbav:"time1"`
	Time2        int64 `dynamodbav:"time2"`
	TrustedUntil int64 `dynamodbav:"trusted_until"`
}

func micros(t int64) time.Time {
	if t == 0 {
		return time.Time{}
	}
	return time.UnixMicro(t).UTC()
}

func (i counterItem) counter() account.Counter {
	return account.Counter{
		Times:        [account.MaxTiers]time.Time{micros(i.Time0), micros(i.Time1), micros(i.Time2)},
		TrustedUntil: micros(i.TrustedUntil),
	}
}

// trustKept is the attribute that has the time to live of a counter which was trusted: attempts
// that come later must not shorten it. Past that time they do not lengthen it either, and go with
// the counter, at most once in as long as a trust lasts.
const trustKept = "trust_kept"

// looks is how often a counter is looked at that changes between the look and the step.
// The second look is the last, unless others make it fresh or use it up in between.
const looks = 4

// Take implements [account.Counters]. The first step takes the counter to be fresh, as
// nearly all are: it is one write. Where it is not, the refused write gives the counter
// as it stands, which says how it ends, or how to add to it.
func (s *Store) Take(ctx context.Context, key string, l account.Limit, keep time.Duration, now time.Time) (account.Taken, error) {
	const what = "counting an attempt"
	now = now.Truncate(time.Microsecond)
	var seen account.Counter
	var err error
	for range looks {
		_, taken := seen.Take(l, now)
		if !taken.Admitted {
			return taken, nil
		}
		var stored counterItem
		stored, err = s.step(ctx, takeStep(key, seen, l, keep, now))
		switch _, refused := errors.AsType[*types.ConditionalCheckFailedException](err); {
		case refused:
			seen = stored.counter()
		case err != nil:
			return account.Taken{}, s.failure(what, err)
		default:
			taken.TrustedUntil = micros(stored.TrustedUntil)
			return taken, nil
		}
	}
	return account.Taken{}, account.ErrThrottled(fmt.Errorf("%s: it changed %d times: %w", what, looks, err))
}

// takeStep adds an attempt to a counter if its tiers still are as they were seen: with
// nothing left of earlier attempts, or with some and room for one more. max(a, b), which
// the count needs, is no function of DynamoDB's.
func takeStep(key string, seen account.Counter, l account.Limit, keep time.Duration, now time.Time) *dynamodb.UpdateItemInput {
	set := []string{TTLAttribute + " = if_not_exists(" + trustKept + ", :expires)"}
	var conditions []string
	with := values{":now": number(now.UnixMicro()), ":expires": number(now.Add(keep).Unix() + 1)}
	for i, tier := range l {
		time, value := fmt.Sprintf("time%d", i), fmt.Sprintf(":v%d", i)
		if !seen.Times[i].After(now) {
			set = append(set, time+" = "+value)
			with[value] = number(now.Add(tier.Interval()).UnixMicro())
			conditions = append(conditions, fmt.Sprintf("(attribute_not_exists(%[1]s) OR %[1]s <= :now)", time))
			continue
		}
		latest := fmt.Sprintf(":max%d", i)
		set = append(set, time+" = "+time+" + "+value)
		with[value] = number(tier.Interval().Microseconds())
		with[latest] = number(now.Add(tier.Tolerance()).UnixMicro())
		conditions = append(conditions, fmt.Sprintf("%[1]s > :now AND %[1]s <= %[2]s", time, latest))
	}
	return &dynamodb.UpdateItemInput{
		Key: pk(counterKey(key)), ExpressionAttributeValues: with,
		UpdateExpression:    aws.String("SET " + strings.Join(set, ", ")),
		ConditionExpression: aws.String(strings.Join(conditions, " AND ")),
	}
}

// step makes one write and gives the counter as it stands after it, or as it stood in
// its way. A table that is too busy is the caller's to wait for: a sign-in waits so shortly
// for its counters that with the SDK's own waits it would go on uncounted.
func (s *Store) step(ctx context.Context, in *dynamodb.UpdateItemInput, options ...func(*dynamodb.Options)) (i counterItem, err error) {
	in.TableName = s.table
	in.ReturnValues = types.ReturnValueAllNew
	in.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	options = append(options, func(o *dynamodb.Options) { o.Retryer = awserror.NoThrottles(o.Retryer) })
	out, err := s.db.UpdateItem(ctx, in, options...)
	if refusal, no := errors.AsType[*types.ConditionalCheckFailedException](err); no {
		return i, errors.Join(read(refusal.Item, &i), err)
	}
	if err != nil {
		return i, err
	}
	return i, read(out.Attributes, &i)
}

// Trust implements [account.Counters].
func (s *Store) Trust(ctx context.Context, key string, until time.Time) error {
	_, err := s.step(ctx, &dynamodb.UpdateItemInput{
		Key:              pk(counterKey(key)),
		UpdateExpression: aws.String("SET trusted_until = :until, " + trustKept + " = :expires, " + TTLAttribute + " = :expires REMOVE time0, time1, time2"),
		ExpressionAttributeValues: values{
			":until": number(until.UnixMicro()), ":expires": number(until.Unix() + 1),
		},
	})
	if err != nil {
		return s.failure("noting a success", err)
	}
	return nil
}

// once has the SDK make a call once.
func once(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} }

// Refund implements [account.Counters]. It is made once: where its answer is lost nobody
// knows whether the attempt was given back, and twice would be one too many.
func (s *Store) Refund(ctx context.Context, key string, l account.Limit) error {
	var set, conditions []string
	with := values{}
	for i, tier := range l[min(1, len(l)):] {
		time, value := fmt.Sprintf("time%d", i+1), fmt.Sprintf(":v%d", i+1)
		set = append(set, time+" = "+time+" - "+value)
		conditions = append(conditions, "attribute_exists("+time+")")
		with[value] = number(tier.Interval().Microseconds())
	}
	if len(set) == 0 {
		return nil
	}
	_, err := s.step(ctx, &dynamodb.UpdateItemInput{
		Key: pk(counterKey(key)), ExpressionAttributeValues: with,
		UpdateExpression:    aws.String("SET " + strings.Join(set, ", ")),
		ConditionExpression: aws.String(strings.Join(conditions, " AND ")),
	}, once)
	if _, nothing := errors.AsType[*types.ConditionalCheckFailedException](err); err != nil && !nothing {
		return s.failure("giving an attempt back", err)
	}
	return nil
}
