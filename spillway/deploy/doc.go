// Package deploy brings the CloudFormation stacks of an environment up, changes them,
// takes them back and takes them down, and says what happened in its exit code.
//
// What should be is read from files: the list of stacks, their templates and an
// environment's parameters ([Load]). What is, and every change of it, goes through the
// ports of [Cloud]; package awscloud has them over the AWS SDK. Each verb is a method of
// [Deployment].
//
// A verb may be cut off at any time, by Ctrl-C, a lost network or the end of a CI job.
// What AWS has begun goes on there, and the same verb run again follows that and goes on:
// nothing is kept on this machine.
package deploy
