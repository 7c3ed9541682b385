using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;

namespace Dependencies.Tests.MicrosoftML;

[TestClass]
public sealed class CoreKeyTests
{
    private readonly MLContext _ml = new(seed: 1);

    [TestMethod]
    public void Text_goes_to_keys_and_back()
    {
        IDataView data = Words("b", "a", "", "b", "c");
        IDataView keyed = _ml.Transforms.Conversion.MapValueToKey("Key", "Text").Fit(data).Transform(data);
        Assert.AreEqual(new KeyDataViewType(typeof(uint), 3), keyed.Schema["Key"].Type);
        CollectionAssert.AreEqual(new uint[] { 1, 2, 0, 1, 3 }, keyed.GetColumn<uint>("Key").ToArray());
        CollectionAssert.AreEqual(new[] { "b", "a", "c" }, KeyValues(keyed.Schema["Key"]));
        Assert.IsTrue(keyed.Schema["Key"].HasKeyValues());
        IDataView back = _ml.Transforms.Conversion.MapKeyToValue("Back", "Key").Fit(keyed).Transform(keyed);
        CollectionAssert.AreEqual(new[] { "b", "a", "", "b", "c" }, back.GetColumn<string>("Back").ToArray());
    }

    [TestMethod]
    public void Keys_may_be_ordered_by_value_and_limited()
    {
        IDataView data = Words("b", "a", "C", "a");
        var byValue = _ml.Transforms.Conversion.MapValueToKey("Key", "Text", keyOrdinality: ValueToKeyMappingEstimator.KeyOrdinality.ByValue);
        CollectionAssert.AreEqual(new[] { "C", "a", "b" }, KeyValues(byValue.Fit(data).GetOutputSchema(data.Schema)["Key"]));
        var two = _ml.Transforms.Conversion.MapValueToKey("Key", "Text", maximumNumberOfKeys: 2).Fit(data).Transform(data);
        CollectionAssert.AreEqual(new uint[] { 1, 2, 0, 2 }, two.GetColumn<uint>("Key").ToArray());
    }

    [TestMethod]
    public void Keys_may_be_given()
    {
        IDataView data = Words("a", "x", "b");
        IDataView keys = _ml.Data.LoadFromEnumerable(new[] { "b", "a" }.Select(t => new Word { Text = t }));
        var estimator = _ml.Transforms.Conversion.MapValueToKey("Key", "Text", keyData: keys);
        CollectionAssert.AreEqual(new uint[] { 2, 0, 1 }, estimator.Fit(data).Transform(data).GetColumn<uint>("Key").ToArray());
        var wide = Assert.ThrowsExactly<ArgumentOutOfRangeException>(
            () => _ml.Transforms.Conversion.MapValueToKey("Key", "Text", keyData: CoreRows.Numbers(_ml, 1)));
        Assert.AreEqual("keyData", wide.ParamName);
    }

    [TestMethod]
    public void Several_columns_and_numbers_get_keys_too()
    {
        IDataView data = _ml.Data.LoadFromEnumerable(
            new[] { 7f, float.NaN, 5, 7 }.Select((v, i) => new CoreRows.Number { Value = v, Id = i % 2, Vector = [v, 1] }));
        IDataView keyed = _ml.Transforms.Conversion.MapValueToKey([new("V", "Value"), new("I", "Id"), new("Vector")]).Fit(data).Transform(data);
        CollectionAssert.AreEqual(new uint[] { 1, 0, 2, 1 }, keyed.GetColumn<uint>("V").ToArray());
        CollectionAssert.AreEqual(new uint[] { 1, 2, 1, 2 }, keyed.GetColumn<uint>("I").ToArray());
        CollectionAssert.AreEqual(new uint[] { 3, 2 }, keyed.GetColumn<uint[]>("Vector").ElementAt(2));
        Assert.AreEqual("Vector<Key<UInt32, 0-2>, 2>", keyed.Schema["Vector"].Type.ToString());
        VBuffer<float> values = default;
        keyed.Schema["V"].GetKeyValues(ref values);
        CollectionAssert.AreEqual(new[] { 7f, 5 }, values.DenseValues().ToArray());
    }

    [TestMethod]
    public void A_mapping_fails_on_a_column_of_another_type()
    {
        IDataView data = Words("a");
        var transformer = _ml.Transforms.Conversion.MapValueToKey("Key", "Text").Fit(data);
        var missing = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => transformer.Transform(new CoreWatchedView(1)));
        Assert.AreEqual("inputSchema", missing.ParamName);
        StringAssert.Contains(missing.Message, "Could not find input column 'Text'");
        IDataView numbers = _ml.Transforms.CopyColumns("Text", "A").Fit(new CoreWatchedView(1)).Transform(new CoreWatchedView(1));
        Assert.ThrowsExactly<InvalidOperationException>(() => transformer.Transform(numbers));
    }

    [TestMethod]
    public void Values_of_keys_need_the_annotation()
    {
        IDataView data = _ml.Data.LoadFromEnumerable([new Keyed { Key = 1 }]);
        Assert.ThrowsExactly<InvalidOperationException>(() => _ml.Transforms.Conversion.MapKeyToValue("Key").Fit(data));
        var inChain = Assert.ThrowsExactly<ArgumentOutOfRangeException>(
            () => new EstimatorChain<ITransformer>().Append(_ml.Transforms.Conversion.MapKeyToValue("Key")).Fit(data));
        StringAssert.Contains(inChain.Message, "Input column 'Key' doesn't contain key values metadata");
        IDataView words = Words("a");
        var notAKey = Assert.ThrowsExactly<ArgumentOutOfRangeException>(
            () => new EstimatorChain<ITransformer>().Append(_ml.Transforms.Conversion.MapKeyToValue("Text")).Fit(words));
        StringAssert.Contains(notAKey.Message, "Schema mismatch for input column 'Text': expected KeyType, got String");
    }

    [TestMethod]
    public void Keys_become_indicator_vectors_with_names()
    {
        IDataView data = Words("b", "a", "");
        IDataView mapped = _ml.Transforms.Conversion.MapValueToKey("Key", "Text")
            .Append(_ml.Transforms.Conversion.MapKeyToVector("Indicator", "Key")).Fit(data).Transform(data);
        float[][] rows = [.. mapped.GetColumn<float[]>("Indicator")];
        CollectionAssert.AreEqual(new[] { 1f, 0 }, rows[0]);
        CollectionAssert.AreEqual(new[] { 0f, 1 }, rows[1]);
        CollectionAssert.AreEqual(new[] { 0f, 0 }, rows[2]);
        VBuffer<ReadOnlyMemory<char>> names = default;
        mapped.Schema["Indicator"].GetSlotNames(ref names);
        Assert.AreEqual("b,a", string.Join(",", names.DenseValues()));
        Assert.IsTrue(mapped.Schema["Indicator"].IsNormalized());
    }

    [TestMethod]
    public void Types_convert_as_ML_NET_converts_them()
    {
        IDataView data = Words("12", "x", "");
        CollectionAssert.AreEqual(new[] { 12f, float.NaN, 0 }, Convert<float>(data, DataKind.Single));
        CollectionAssert.AreEqual(new uint[] { 12, 0, 0 }, Convert<uint>(data, DataKind.UInt32));
        Assert.AreEqual(1f, Convert<float>(_ml.Data.LoadFromEnumerable([new Flag { Text = true }]), DataKind.Single)[0]);
        Assert.AreEqual("3", Convert<string>(_ml.Data.LoadFromEnumerable([new Whole { Text = 3 }]), DataKind.String)[0]);
        var refused = Assert.ThrowsExactly<ArgumentOutOfRangeException>(
            () => Convert<byte>(_ml.Data.LoadFromEnumerable([new Whole { Text = 3 }]), DataKind.Byte));
        Assert.AreEqual("inputSchema", refused.ParamName);
    }

    private T[] Convert<T>(IDataView data, DataKind kind) =>
        [.. _ml.Transforms.Conversion.ConvertType("Out", "Text", kind).Fit(data).Transform(data).GetColumn<T>("Out")];

    private IDataView Words(params string[] words) => _ml.Data.LoadFromEnumerable(words.Select(w => new Word { Text = w }));

    private static string[] KeyValues(DataViewSchema.Column column)
    {
        VBuffer<ReadOnlyMemory<char>> values = default;
        column.GetKeyValues(ref values);
        return [.. values.DenseValues().Select(v => v.ToString())];
    }

    private sealed class Word
    {
        public string Text { get; set; } = "";
    }

    private sealed class Flag
    {
        public bool Text { get; set; }
    }

    private sealed class Whole
    {
        public int Text { get; set; }
    }

    private sealed class Keyed
    {
        [KeyType(5)]
        public uint Key { get; set; }
    }
}
