using System.Collections.Immutable;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;

namespace Dependencies.Tests.MicrosoftML;

[TestClass]
public sealed class CoreColumnTests
{
    private readonly MLContext _ml = new(seed: 1);

    [TestMethod]
    public void A_column_of_a_known_name_goes_behind_the_one_that_it_hides()
    {
        var source = new CoreWatchedView(3);
        IDataView data = _ml.Transforms.CopyColumns("A", "B").Fit(source).Transform(source);
        Assert.AreEqual("A,A,B", string.Join(",", data.Schema.Select(c => c.Name)));
        Assert.IsTrue(data.Schema[0].IsHidden);
        CollectionAssert.AreEqual(new[] { 0f, 10, 20 }, data.GetColumn<float>("A").ToArray());
        IDataView more = _ml.Transforms.CopyColumns("C", "A").Fit(data).Transform(data);
        Assert.AreEqual("A,A,B,C", string.Join(",", more.Schema.Select(c => c.Name)));
    }

    [TestMethod]
    public void Columns_are_selected_in_the_order_asked_for_and_dropped_in_place()
    {
        IDataView data = CoreRows.Numbers(_ml, 1);
        Assert.AreEqual("Vector,Id", Names(_ml.Transforms.SelectColumns("Vector", "Id")));
        Assert.AreEqual("Id,Vector", Names(_ml.Transforms.DropColumns("Text", "Value")));
        var missing = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Transforms.DropColumns("X").Fit(data));
        Assert.AreEqual("inputSchema", missing.ParamName);
        StringAssert.Contains(missing.Message, "Could not find input column 'X'");

        string Names(IEstimator<ITransformer> estimator) => string.Join(",", estimator.Fit(data).Transform(data).Schema.Select(c => c.Name));
    }

    [TestMethod]
    public void Concatenation_joins_scalars_and_vectors_with_their_names()
    {
        IDataView data = CoreRows.Numbers(_ml, 3);
        IDataView joined = _ml.Transforms.Concatenate("All", "Value", "Vector").Fit(data).Transform(data);
        Assert.AreEqual(new VectorDataViewType(NumberDataViewType.Single, 3), joined.Schema["All"].Type);
        CollectionAssert.AreEqual(new[] { 2f, 2, -2 }, joined.GetColumn<float[]>("All").Last());
        VBuffer<ReadOnlyMemory<char>> names = default;
        joined.Schema["All"].GetSlotNames(ref names);
        Assert.AreEqual("Value", names.GetItemOrDefault(0).ToString());
        Assert.AreEqual("", names.GetItemOrDefault(1).ToString());
        var mixed = Assert.ThrowsExactly<ArgumentOutOfRangeException>(
            () => _ml.Transforms.Concatenate("All", "Value", "Id").Fit(data).Transform(data));
        StringAssert.Contains(mixed.Message, "Schema mismatch for input column 'Id': expected Single, got Int32");
    }

    [TestMethod]
    public void Normalization_scales_by_range_or_by_variance()
    {
        IDataView data = CoreRows.Numbers(_ml, 5);
        NormalizingTransformer range = _ml.Transforms.NormalizeMinMax("Out", "Vector").Fit(data);
        CollectionAssert.AreEqual(new[] { 1f, -1 }, range.Transform(data).GetColumn<float[]>("Out").Last());
        Assert.IsTrue(range.GetOutputSchema(data.Schema)["Out"].IsNormalized());
        IDataView shifted = _ml.Transforms.NormalizeMinMax("Out", "Value", fixZero: false).Fit(data).Transform(data);
        CollectionAssert.AreEqual(new[] { 0f, 0.25f, 0.5f, 0.75f, 1 }, shifted.GetColumn<float>("Out").ToArray());
        NormalizingTransformer variance = _ml.Transforms.NormalizeMeanVariance("Out", "Value", fixZero: false).Fit(data);
        var parameters = (NormalizingTransformer.AffineNormalizerModelParameters<float>)variance.GetNormalizerModelParameters(0);
        Assert.AreEqual(2f, parameters.Offset);
        Assert.AreEqual(1 / MathF.Sqrt(2), parameters.Scale, 1e-6f);
        var vector = (NormalizingTransformer.AffineNormalizerModelParameters<ImmutableArray<float>>)range.GetNormalizerModelParameters(0);
        CollectionAssert.AreEqual(new[] { 0.25f, 0.25f }, vector.Scale.ToArray());
    }

    [TestMethod]
    public void A_custom_mapping_runs_once_a_row_and_adds_its_columns()
    {
        var rows = new HashSet<int>();
        IDataView data = CoreRows.Numbers(_ml, 4);
        IDataView mapped = _ml.Transforms.CustomMapping<CoreRows.Number, Sums>(
            (src, dst) =>
            {
                lock (rows)
                    Assert.IsTrue(rows.Add(src.Id));
                dst.Sum = src.Vector.Sum();
                dst.Name = src.Text + "!";
            },
            contractName: null).Fit(data).Transform(data);
        Sums[] sums = [.. _ml.Data.CreateEnumerable<Sums>(mapped, reuseRowObject: false)];
        Assert.AreEqual("t3!", sums[3].Name);
        Assert.HasCount(4, rows);
        var missing = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new EstimatorChain<ITransformer>()
            .Append(_ml.Transforms.CustomMapping<Sums, CoreRows.IdOnly>((_, _) => { }, null)).Fit(data));
        StringAssert.Contains(missing.Message, "Could not find input column 'Sum'");
    }

    private sealed class Sums
    {
        public float Sum { get; set; }

        public string Name { get; set; } = "";
    }
}
