using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dependencies.Tests.MicrosoftML;

/// <summary>Rows that the tests of the data view share.</summary>
internal static class CoreRows
{
    public static IDataView Numbers(MLContext ml, int count) => ml.Data.LoadFromEnumerable(Lazy(count));

    public static IEnumerable<Number> Lazy(int count)
    {
        for (int i = 0; i < count; i++)
            yield return new Number { Id = i, Value = i, Text = $"t{i}", Vector = [i, -i] };
    }

    public static int[] Ids(MLContext ml, IDataView data) =>
        [.. ml.Data.CreateEnumerable<IdOnly>(data, reuseRowObject: false, ignoreMissingColumns: true).Select(r => r.Id)];

    internal sealed class Number
    {
        public int Id { get; set; }

        public float Value { get; set; }

        public string Text { get; set; } = "";

        [VectorType(2)]
        public float[] Vector { get; set; } = [];
    }

    internal sealed class IdOnly
    {
        public int Id { get; set; }
    }
}
