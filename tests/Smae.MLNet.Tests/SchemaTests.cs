namespace Smae.MLNet.Tests;

[TestClass]
public class SchemaTests
{
    private readonly MLContext _ml = new(seed: 1);

    [TestMethod]
    public void The_estimators_promise_what_the_transformer_gives()
    {
        using var encoder = TestModels.Encoder();
        var data = _ml.Data.LoadFromEnumerable(new List<PathRow>());
        var estimator = _ml.Transforms.MaeEmbedding("Embedding", "ImagePath", encoder);
        var shapes = new[] { estimator.GetOutputSchema(Shape(data)), Pretrain("Embedding", "ImagePath").GetOutputSchema(Shape(data)) };
        foreach (var shape in shapes)
        {
            CollectionAssert.AreEqual(new[] { "ImagePath", "Label", "Embedding" }, shape.Select(column => column.Name).ToArray());
            Assert.AreEqual(SchemaShape.Column.VectorKind.Vector, shape[2].Kind);
            Assert.AreEqual(NumberDataViewType.Single, shape[2].ItemType);
            Assert.IsFalse(shape[2].IsKey);
        }

        var schema = estimator.Fit(data).GetOutputSchema(data.Schema);
        Assert.AreEqual(new VectorDataViewType(NumberDataViewType.Single, TestModels.Width), schema["Embedding"].Type);
    }

    [TestMethod]
    public void A_column_of_the_same_name_is_replaced()
    {
        using var encoder = TestModels.Encoder();
        var data = _ml.Data.LoadFromEnumerable(new List<PathRow>());
        var estimator = _ml.Transforms.MaeEmbedding("ImagePath", null, encoder);
        var shape = estimator.GetOutputSchema(Shape(data));
        CollectionAssert.AreEqual(new[] { "ImagePath", "Label" }, shape.Select(column => column.Name).ToArray());
        Assert.AreEqual(NumberDataViewType.Single, shape[0].ItemType);
        Assert.IsInstanceOfType<VectorDataViewType>(estimator.Fit(data).Transform(data).Schema["ImagePath"].Type);
    }

    [TestMethod]
    public void A_missing_column_is_named()
    {
        var data = _ml.Data.LoadFromEnumerable(new List<PathRow>());
        foreach (var error in SchemaErrors("Nowhere", data))
        {
            Assert.AreEqual("inputSchema", error.ParamName);
            StringAssert.Contains(error.Message, "Could not find input column 'Nowhere'");
        }
    }

    [TestMethod]
    public void A_column_of_the_wrong_type_is_named_with_both_types()
    {
        var data = _ml.Data.LoadFromEnumerable(new List<NumberRow>());
        foreach (var error in SchemaErrors("Number", data))
        {
            StringAssert.Contains(error.Message, "Schema mismatch for input column 'Number': expected Image, Text (path of an image file) or ");
            StringAssert.Contains(error.Message, "Vector<Byte> (bytes of an image file), got Single");
        }
        foreach (var error in SchemaErrors("Numbers", data))
            StringAssert.Contains(error.Message, "got Vector<Single");
        foreach (var error in SchemaErrors("Texts", data))
            StringAssert.Contains(error.Message, "input column 'Texts'");
    }

    [TestMethod]
    public void Images_text_and_bytes_are_accepted()
    {
        using var encoder = TestModels.Encoder();
        foreach (var (data, column) in new (IDataView, string)[]
        {
            (_ml.Data.LoadFromEnumerable(new List<ImageRow>()), "Image"), (_ml.Data.LoadFromEnumerable(new List<PathRow>()), "ImagePath"),
            (_ml.Data.LoadFromEnumerable(new List<BytesRow>()), "Bytes"),
        })
        {
            var estimator = _ml.Transforms.MaeEmbedding("Embedding", column, encoder);
            estimator.GetOutputSchema(Shape(data));
            Assert.IsNotNull(estimator.Fit(data).Transform(data).Schema.GetColumnOrNull("Embedding"));
        }
    }

    private List<ArgumentOutOfRangeException> SchemaErrors(string column, IDataView data)
    {
        using var encoder = TestModels.Encoder();
        var embedding = _ml.Transforms.MaeEmbedding("Embedding", column, encoder);
        var pretraining = Pretrain("Embedding", column);
        return
        [
            Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => embedding.GetOutputSchema(Shape(data))),
            Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => embedding.Fit(data)),
            Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => pretraining.GetOutputSchema(Shape(data))),
            Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => pretraining.Fit(data)),
        ];
    }

    private MaePretrainEstimator Pretrain(string output, string input) => _ml.Transforms.MaePretrain(output, input, TestModels.Options);

    // ML.NET makes shapes only where a chain is fitted.
    private static SchemaShape Shape(IDataView data)
    {
        var probe = new ShapeProbe();
        new EstimatorChain<ITransformer>().Append(probe).Fit(data);
        return probe.Shape!;
    }

    private sealed class ShapeProbe : IEstimator<ITransformer>
    {
        public SchemaShape? Shape { get; private set; }

        public ITransformer Fit(IDataView input) => new TransformerChain<ITransformer>();

        public SchemaShape GetOutputSchema(SchemaShape inputSchema) => Shape = inputSchema;
    }

    private sealed class NumberRow
    {
        public float Number { get; set; }

        [VectorType(3)]
        public float[] Numbers { get; set; } = [];

        [VectorType(2)]
        public string[] Texts { get; set; } = [];
    }
}
