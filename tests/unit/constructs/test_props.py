import aws_cdk as cdk
import pytest

from sagemaker_tgi.props import InvalidPropsError, PropsCheck


def test_all_problems_come_in_one_error_that_names_construct_prop_value_and_fix(stack: cdk.Stack) -> None:
    check = PropsCheck(stack, "Thing")
    check.between("count", 0, 1, 5)
    check.matches("name", "a b", "[a-z]+", "use letters")
    with pytest.raises(InvalidPropsError) as error:
        check.raise_problems()
    assert str(error.value).splitlines() == [
        "Test/Thing: 2 problems with its props",
        "  count=0: is out of range; use from 1 to 5",
        "  name='a b': does not match [a-z]+; use letters",
    ]


def test_nothing_is_raised_when_nothing_is_wrong(stack: cdk.Stack) -> None:
    check = PropsCheck(stack, "Thing")
    check.between("count", 5, 1, 5)
    check.matches("name", "ab", "[a-z]+", "use letters")
    check.seconds_between("pause", cdk.Duration.minutes(1), 60, 60)
    check.raise_problems()


def test_values_that_are_known_at_deployment_only_pass_every_check(stack: cdk.Stack) -> None:
    parameter = cdk.CfnParameter(stack, "Parameter", type="Number")
    check = PropsCheck(stack, "Thing")
    check.between("count", parameter.value_as_number, 1, 5)
    check.matches("name", parameter.value_as_string, "[a-z]+", "use letters")
    check.seconds_between("pause", cdk.Duration.seconds(parameter.value_as_number), 1, 5)
    check.raise_problems()


def test_a_range_without_an_upper_limit_says_so(stack: cdk.Stack) -> None:
    check = PropsCheck(stack, "Thing")
    check.between("count", 0, 1)
    assert "count=0: is out of range; use 1 or more" in str(check.error())


def test_a_duration_is_checked_in_seconds(stack: cdk.Stack) -> None:
    check = PropsCheck(stack, "Thing")
    check.seconds_between("pause", cdk.Duration.hours(2), 60, 3600)
    assert "pause (seconds)=7200: is out of range; use from 60 to 3600" in str(check.error())


def test_a_text_that_is_too_long_says_by_how_much(stack: cdk.Stack) -> None:
    check = PropsCheck(stack, "Thing")
    check.no_longer_than("text", "abc", 3)
    check.no_longer_than("text", "abcd", 3)
    assert str(check.error()).splitlines()[1:] == ["  text='abcd': has 4 characters; use 3 or fewer"]
