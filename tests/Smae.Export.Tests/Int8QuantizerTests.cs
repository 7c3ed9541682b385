namespace Smae.Export.Tests;

/// <summary>The quantiser of weights: numbers come back to within half a step of their own column, and no processor's sums overflow.</summary>
[TestClass]
public class Int8QuantizerTests
{
    [TestMethod]
    public void NumbersComeBackToWithinHalfAStepOfTheirColumn()
    {
        const int inputs = 40, outputs = 3;
        var random = new Random(1);
        float[] sizes = [1e-4f, 1, 300];
        float[] numbers = [.. Enumerable.Range(0, inputs * outputs).Select(i => sizes[i % outputs] * (random.NextSingle() * 2 - 1))];
        (sbyte[] quantized, float[] scales) = Int8Products.Quantize(numbers, inputs, outputs);
        for (int i = 0; i < numbers.Length; i++)
        {
            float scale = scales[i % outputs];
            Assert.AreEqual(numbers[i], quantized[i] * scale, 0.5001 * scale, $"number {i}");
        }
        for (int o = 0; o < outputs; o++)
        {
            int largest = Enumerable.Range(0, inputs).Max(i => Math.Abs((int)quantized[i * outputs + o]));
            Assert.AreEqual(Int8Products.Largest, largest, "a column does not use the whole range");
        }
    }

    [TestMethod]
    public void TwoProductsFitInto16Bits() => Assert.IsLessThanOrEqualTo((int)short.MaxValue, 2 * byte.MaxValue * Int8Products.Largest);

    [TestMethod]
    public void AColumnOfZerosStaysZero()
    {
        (sbyte[] quantized, float[] scales) = Int8Products.Quantize([0, 2, 0, -1], 2, 2);
        CollectionAssert.AreEqual(new sbyte[] { 0, 64, 0, -32 }, quantized);
        CollectionAssert.AreEqual(new[] { 1, 2f / 64 }, scales);
    }
}
