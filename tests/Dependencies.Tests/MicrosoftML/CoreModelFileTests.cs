using System.IO.Compression;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;

namespace Dependencies.Tests.MicrosoftML;

[TestClass]
public sealed class CoreModelFileTests
{
    private readonly MLContext _ml = new(seed: 1);

    [TestMethod]
    public void A_saved_chain_loads_and_does_the_same()
    {
        IDataView data = CoreRows.Numbers(_ml, 4);
        ITransformer model = _ml.Transforms.Conversion.MapValueToKey("Key", "Text")
            .Append(_ml.Transforms.NormalizeMinMax("Scaled", "Vector"))
            .Append(_ml.Transforms.Concatenate("All", "Scaled", "Value"))
            .Append(_ml.Transforms.Conversion.MapKeyToVector("Indicator", "Key"))
            .Append(_ml.Transforms.Conversion.MapKeyToValue("Back", "Key"))
            .Append(_ml.Transforms.Conversion.ConvertType("Wide", "Value", DataKind.Double))
            .Append(_ml.Transforms.CopyColumns("Copy", "Back"))
            .Append(_ml.Transforms.DropColumns("Scaled"))
            .Fit(data);
        (ITransformer loaded, DataViewSchema? schema) = RoundTrip(model, data.Schema);
        Assert.AreEqual(Describe(data.Schema), Describe(schema!));
        Assert.AreEqual(Describe(model.GetOutputSchema(data.Schema)), Describe(loaded.GetOutputSchema(schema!)));
        IDataView before = model.Transform(data);
        IDataView after = loaded.Transform(data);
        CollectionAssert.AreEqual(before.GetColumn<string>("Copy").ToArray(), after.GetColumn<string>("Copy").ToArray());
        CollectionAssert.AreEqual(before.GetColumn<float[]>("All").Last(), after.GetColumn<float[]>("All").Last());
        CollectionAssert.AreEqual(before.GetColumn<float[]>("Indicator").Last(), after.GetColumn<float[]>("Indicator").Last());
        CollectionAssert.AreEqual(before.GetColumn<double>("Wide").ToArray(), after.GetColumn<double>("Wide").ToArray());
    }

    [TestMethod]
    public void The_schema_keeps_its_annotations_and_may_be_left_out()
    {
        IDataView data = CoreRows.Numbers(_ml, 2);
        DataViewSchema keyed = _ml.Transforms.Conversion.MapValueToKey("Text").Fit(data).GetOutputSchema(data.Schema);
        ITransformer model = _ml.Transforms.CopyColumns("Copy", "Id").Fit(data);
        (_, DataViewSchema? schema) = RoundTrip(model, keyed);
        VBuffer<ReadOnlyMemory<char>> values = default;
        schema!["Text"].GetKeyValues(ref values);
        Assert.AreEqual("t0,t1", string.Join(",", values.DenseValues()));
        (ITransformer loaded, DataViewSchema? none) = RoundTrip(model, null);
        Assert.IsNull(none);
        Assert.IsInstanceOfType<ColumnCopyingTransformer>(loaded);
    }

    [TestMethod]
    public void A_type_of_ours_is_saved_by_delegation()
    {
        // Twice the value: the sum of nothing else would do, a copy shows that the inner transformer was saved.
        ITransformer inner = _ml.Transforms.CopyColumns("Twice", "A").Fit(new CoreWatchedView(1));
        using var doubling = new CoreDoubling("A", "Twice", inner);
        (ITransformer loaded, _) = RoundTrip(doubling, new CoreWatchedView(1).Schema);
        Assert.IsInstanceOfType<ColumnCopyingTransformer>(loaded);
        ITransformer chain = new TransformerChain<ITransformer>(doubling, inner);
        (ITransformer loadedChain, _) = RoundTrip(chain, null);
        Assert.HasCount(2, ((IEnumerable<ITransformer>)loadedChain).ToArray());
    }

    [TestMethod]
    public void Saving_nothing_is_an_error_that_leaves_a_broken_file_behind()
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".zip");
        try
        {
            using var doubling = new CoreDoubling("A", "Twice");
            var error = Assert.ThrowsExactly<InvalidOperationException>(() => _ml.Model.Save(doubling, new CoreWatchedView(1).Schema, path));
            StringAssert.Contains(error.Message, "ModelSignature not specified!");
            Assert.IsTrue(File.Exists(path));
            Exception? broken = null;
            try
            {
                _ml.Model.Load(path, out _);
            }
            catch (Exception ex)
            {
                broken = ex;
            }

            Assert.IsNotNull(broken);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [TestMethod]
    public void A_model_file_is_a_zip_archive_with_a_schema_beside_the_model()
    {
        IDataView data = CoreRows.Numbers(_ml, 2);
        using var stream = new MemoryStream();
        _ml.Model.Save(_ml.Transforms.CopyColumns("Copy", "Id").Fit(data), data.Schema, stream);
        Assert.IsTrue(stream.CanRead);
        using var archive = new ZipArchive(stream, ZipArchiveMode.Read);
        Assert.IsTrue(archive.Entries.Any(e => e.FullName == "Schema"));
        Assert.IsTrue(archive.Entries.Any(e => e.FullName.StartsWith("TransformerChain", StringComparison.Ordinal)));
    }

    [TestMethod]
    public void What_is_no_archive_does_not_load()
    {
        using var stream = new MemoryStream([1, 2, 3, 4]);
        Assert.ThrowsExactly<FormatException>(() => _ml.Model.Load(stream, out _));
    }

    [TestMethod]
    public void A_custom_mapping_loads_by_its_contract()
    {
        IDataView data = CoreRows.Numbers(_ml, 3);
        ITransformer model = _ml.Transforms.CustomMapping(new Squaring().GetMapping(), "Squaring").Fit(data);
        (ITransformer loaded, _) = RoundTrip(model, data.Schema);
        CollectionAssert.AreEqual(new[] { 0, 1, 4 }, loaded.Transform(data).GetColumn<int>("Square").ToArray());
        ITransformer nameless = _ml.Transforms.CustomMapping(new Squaring().GetMapping(), null).Fit(data);
        Assert.ThrowsExactly<InvalidOperationException>(() => RoundTrip(nameless, data.Schema));
        ITransformer unknown = _ml.Transforms.CustomMapping(new Squaring().GetMapping(), "Nobody").Fit(data);
        Exception? error = null;
        try
        {
            RoundTrip(unknown, data.Schema);
        }
        catch (Exception ex)
        {
            error = ex;
        }

        StringAssert.Contains(error!.ToString(), "Nobody");
    }

    private (ITransformer Model, DataViewSchema? Schema) RoundTrip(ITransformer model, DataViewSchema? schema)
    {
        using var stream = new MemoryStream();
        _ml.Model.Save(model, schema, stream);
        stream.Position = 0;
        return (new MLContext().Model.Load(stream, out DataViewSchema loaded), loaded);
    }

    private static string Describe(DataViewSchema schema) => string.Join("; ", schema.Select(c => c.ToString()));

    public sealed class SquareInput
    {
        public int Id { get; set; }
    }

    public sealed class SquareOutput
    {
        public int Square { get; set; }
    }

    [CustomMappingFactoryAttribute("Squaring")]
    public sealed class Squaring : CustomMappingFactory<SquareInput, SquareOutput>
    {
        public override Action<SquareInput, SquareOutput> GetMapping() => Square;

        private static void Square(SquareInput input, SquareOutput output) => output.Square = input.Id * input.Id;
    }
}
