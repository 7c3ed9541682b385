using System.ComponentModel.DataAnnotations;

namespace Smae.Training.Tests;

/// <summary>The ranges that options declare are checked in one place, and messages name option, value and what was expected.</summary>
[TestClass]
public sealed class RulesTests
{
    [TestMethod]
    public void RightValuesAndNullHaveNoFault() => Assert.IsEmpty(Rules.Faults(new Options()));

    [TestMethod]
    public void EveryFaultIsNamedWithValueAndExpectation()
    {
        var wrong = new Options { Count = 0, Share = 1, Rate = double.NaN, Limit = 0, Rest = TimeSpan.FromSeconds(-1), Precision = (Precision)77 };
        string[] expected =
        [
            "A.Count is 0: expected at least 1.", "A.Share is 1: expected a number in [0, 1).", "A.Rate is NaN: expected a positive number.",
            "A.Limit is 0: expected a positive number, or null.", "A.Rest is -00:00:01: expected 0 or a positive number.",
            "A.Precision is 77: expected one of Float32, BFloat16.",
        ];
        CollectionAssert.AreEqual(expected, Rules.Faults(wrong, "A.").ToArray());
        Assert.AreEqual(expected[0] + " " + expected[1], Assert.ThrowsExactly<ArgumentException>(() => Rules.Check(expected[..2], "options")).Message.Split(" (Par")[0]);
    }

    [TestMethod]
    public void ANumberWithoutAnEndIsNoPositiveNumber() =>
        Assert.AreEqual("Rate is ∞: expected a positive number.", Rules.Faults(new Options { Rate = double.PositiveInfinity }).Single().Replace("Infinity", "∞"));

    private sealed record Options
    {
        [Range(1, int.MaxValue)] public int Count { get; init; } = 1;

        [Range(0.0, 1.0, MaximumIsExclusive = true)] public double Share { get; init; }

        [Range(0.0, double.MaxValue, MinimumIsExclusive = true)] public double Rate { get; init; } = 1;

        [Range(0.0, double.MaxValue, MinimumIsExclusive = true)] public double? Limit { get; init; }

        [Range(0.0, double.MaxValue)] public TimeSpan Rest { get; init; }

        public Precision Precision { get; init; }
    }
}
