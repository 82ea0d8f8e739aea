// Package dynamo keeps profiles and claims in one DynamoDB table.
//
// The table's only key is `pk`:
//
//	user#<user id>       a profile
//	name#<username>      the claim on a folded username
//	email#<address>      the owner of a proven address
//	count#<keyed hash>   a budget of attempts, until its time to live
//
// Whatever must be unique is a key, and every change that spans two items is one
// TransactWriteItems with conditions. The request token of a transaction is the
// SDK's own, new for each attempt; a person's retry is recognised by the items.
package dynamo
