package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// value gives a stack's value for a parameter, empty where it has none.
func (v *inspection) value(stack, parameter string) string {
	for _, value := range v.values[stack] {
		if value.Name == parameter {
			return value.Value
		}
	}
	return ""
}

// images are in this account's registry of this region, as Lambda takes them, and for the
// right architecture.
func (v *inspection) images(ctx context.Context) (wrong []string, err error) {
	for _, s := range v.stacks {
		uri := v.value(s.Name, paramImage)
		if s.Service == "" || uri == "" {
			continue
		}
		image, err := ParseImage(uri)
		if err != nil {
			wrong = append(wrong, s.Name+": "+err.Error())
			continue
		}
		account, region, ok := image.ECR()
		if !ok || region != v.d.Cloud.Region {
			wrong = append(wrong, fmt.Sprintf("%s: %s is not in ECR in %s, and Lambda takes images from nowhere else", s.Name, uri, v.d.Cloud.Region))
			continue
		}
		if account != v.account {
			wrong = append(wrong, fmt.Sprintf("%s: %s is of account %s, and these credentials of %s", s.Name, uri, account, v.account))
			continue
		}
		if err := v.d.Cloud.Checks.Image(ctx, image, v.value(s.Name, "Architecture")); err != nil {
			wrong = append(wrong, s.Name+": "+err.Error())
		}
	}
	return wrong, nil
}

// certificates are issued, in this region, and for the domain name beside them.
func (v *inspection) certificates(ctx context.Context) (wrong []string, err error) {
	for _, s := range v.stacks {
		for _, value := range v.values[s.Name] {
			parts := strings.Split(value.Value, ":")
			if len(parts) < 6 || parts[2] != "acm" {
				continue
			}
			where := s.Name + ": " + value.Name + ": "
			if parts[3] != v.d.Cloud.Region {
				wrong = append(wrong, fmt.Sprintf("%sis of %s, and a load balancer takes one of its own region, %s", where, parts[3], v.d.Cloud.Region))
				continue
			}
			c, err := v.d.Cloud.Checks.Certificate(ctx, value.Value)
			domain := v.value(s.Name, "DomainName")
			switch {
			case errors.Is(err, ErrNotThere):
				wrong = append(wrong, where+"there is no certificate "+value.Value)
			case err != nil:
				return wrong, err
			case c.Status != "ISSUED":
				wrong = append(wrong, fmt.Sprintf("%sthe certificate is %s: it must be issued first", where, c.Status))
			case domain != "" && !c.covers(domain):
				wrong = append(wrong, fmt.Sprintf("%sthe certificate is for %s, not for %s", where, strings.Join(c.Domains, ", "), domain))
			}
		}
	}
	return wrong, nil
}

// covers says whether a certificate is for a host, by RFC 6125: a wildcard stands for one
// label.
func (c Certificate) covers(host string) bool {
	_, parent, _ := strings.Cut(host, ".")
	return slices.ContainsFunc(c.Domains, func(d string) bool {
		return strings.EqualFold(d, host) || strings.EqualFold(d, "*."+parent)
	})
}

// secrets that the stacks hold or the values name are there.
func (v *inspection) secrets(ctx context.Context) (wrong []string, err error) {
	ids := map[string]string{} // who names it
	for _, s := range v.stacks {
		for _, value := range v.values[s.Name] {
			if parts := strings.Split(value.Value, ":"); len(parts) >= 7 && parts[2] == "secretsmanager" {
				ids[value.Value] = s.Name + ": " + value.Name
			}
		}
	}
	for _, s := range v.d.Environment.Stacks {
		if stateOf(v.live[s.Name]) != settled {
			continue
		}
		resources, err := v.d.left(ctx, v.live[s.Name])
		if err != nil {
			return nil, err
		}
		for _, r := range resources {
			if r.Type == "AWS::SecretsManager::Secret" {
				ids[r.PhysicalID] = s.Name + ": " + r.LogicalID
			}
		}
	}
	for id, who := range ids {
		err := v.d.Cloud.Checks.Secret(ctx, id)
		if errors.Is(err, ErrNotThere) {
			wrong = append(wrong, fmt.Sprintf("%s: the secret %s: %v", who, id, err))
		} else if err != nil {
			return wrong, err
		}
	}
	slices.Sort(wrong)
	return wrong, nil
}

// permissions of the caller are those that spillway deploy needs.
func (v *inspection) permissions(ctx context.Context) (wrong []string, err error) {
	who, ok := principal(v.caller)
	if !ok {
		return nil, nil // the account's root may do everything
	}
	for _, p := range Permissions(v.d.Environment.Name, v.stacks, v.d.Cloud.Region, v.account) {
		denied, err := v.d.Cloud.Checks.Denied(ctx, who, p)
		if err != nil {
			return wrong, err
		}
		if len(denied) > 0 {
			wrong = append(wrong, fmt.Sprintf("%s may not %s on %s", who, strings.Join(denied, ", "), p.Resource))
		}
	}
	return wrong, nil
}

// principal gives the role or user that a caller's ARN is of; ok is false for root.
func principal(arn string) (string, bool) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[5] == "root" {
		return "", false
	}
	if session, ok := strings.CutPrefix(parts[5], "assumed-role/"); ok {
		role, _, _ := strings.Cut(session, "/")
		return "arn:" + parts[1] + ":iam::" + parts[4] + ":role/" + role, true
	}
	return arn, true
}
