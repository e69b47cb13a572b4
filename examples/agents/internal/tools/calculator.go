package tools

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Calculate works out + - * / and brackets.
func Calculate(expression string) (string, error) {
	p := parser{rest: strings.ReplaceAll(expression, " ", "")}
	value, err := p.sum()
	if err == nil && p.rest != "" {
		err = fmt.Errorf("unexpected %q", p.rest)
	}
	if err != nil {
		return "", err
	}
	return strconv.FormatFloat(value, 'f', -1, 64), nil
}

type parser struct {
	rest  string
	depth int
}

func (p *parser) sum() (float64, error) {
	left, err := p.product()
	for err == nil {
		var right float64
		switch {
		case p.accept("+"):
			right, err = p.product()
			left += right
		case p.accept("-"):
			right, err = p.product()
			left -= right
		default:
			return left, nil
		}
	}
	return 0, err
}

func (p *parser) product() (float64, error) {
	left, err := p.factor()
	for err == nil {
		var right float64
		switch {
		case p.accept("*"):
			right, err = p.factor()
			left *= right
		case p.accept("/"):
			if right, err = p.factor(); err == nil && right == 0 {
				err = errors.New("division by zero")
			}
			left /= right
		default:
			return left, nil
		}
	}
	return 0, err
}

func (p *parser) factor() (float64, error) {
	if p.depth++; p.depth > 50 {
		return 0, errors.New("nested too deeply")
	}
	defer func() { p.depth-- }()
	if p.accept("-") {
		value, err := p.factor()
		return -value, err
	}
	if p.accept("(") {
		value, err := p.sum()
		if err == nil && !p.accept(")") {
			err = errors.New("a bracket is not closed")
		}
		return value, err
	}
	return p.number()
}

func (p *parser) number() (float64, error) {
	end := len(p.rest) - len(strings.TrimLeft(p.rest, "0123456789."))
	digits := p.rest[:end]
	p.rest = p.rest[end:]
	if digits == "" {
		return 0, fmt.Errorf("expected a number before %q", p.rest)
	}
	return strconv.ParseFloat(digits, 64)
}

func (p *parser) accept(sign string) bool {
	rest, found := strings.CutPrefix(p.rest, sign)
	p.rest = rest
	return found
}
