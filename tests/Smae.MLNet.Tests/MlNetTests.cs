using Microsoft.ML.Runtime;

namespace Smae.MLNet.Tests;

/// <summary>
/// What Smae relies on in ML.NET and no documentation promises: where one of these fails after an update, the class named there needs another way.
/// </summary>
[TestClass]
public sealed class MlNetTests
{
    private readonly MLContext _ml = new(seed: 1) { GpuDeviceId = 3, FallbackToCpu = true };

    /// <summary><see cref="CatalogEnvironment"/> reads private members: each catalog leads to the context that it belongs to.</summary>
    [TestMethod]
    public void Every_catalog_leads_to_the_environment_of_its_context()
    {
        List<string> messages = [];
        _ml.Log += (_, e) => messages.Add(e.RawMessage);
        IHostEnvironment[] environments =
            [CatalogEnvironment.Of(_ml.Transforms), CatalogEnvironment.Of(_ml.Data), CatalogEnvironment.Of(_ml.MulticlassClassification.Trainers)];
        foreach (IHostEnvironment environment in environments)
        {
            Assert.AreEqual((3, true), CatalogEnvironment.GpuSettings(environment));
            messages.Clear();
            using IChannel channel = environment.Register("Smae").Start("Test");
            channel.Warning(MessageSensitivity.None, "careful");
            CollectionAssert.Contains(messages, "careful");
        }
    }

    /// <summary><see cref="MaePretrainEstimator"/> and the trainers draw their seed there.</summary>
    [TestMethod]
    public void Hosts_of_equal_seeds_draw_equal_numbers()
    {
        int[] Drawn(MLContext ml) => [.. Enumerable.Range(0, 3).Select(_ => CatalogEnvironment.Of(ml.Transforms).Register("Smae").Rand.Next())];
        int[] numbers = Drawn(new MLContext(seed: 5));
        CollectionAssert.AreEqual(numbers, Drawn(new MLContext(seed: 5)));
        Assert.AreEqual(3, numbers.Distinct().Count());
    }

    /// <summary><see cref="OutputShape"/>: shapes of columns have no public constructor, but an estimator in a chain is given that of its data.</summary>
    [TestMethod]
    public void A_chain_gives_an_estimator_the_shape_of_its_data()
    {
        IDataView data = _ml.Data.LoadFromEnumerable([new PathRow { ImagePath = "a" }]);
        data = _ml.Transforms.Conversion.MapValueToKey("Key", "ImagePath").Fit(data).Transform(data);
        var capture = new Capture(new TransformerChain<ITransformer>());
        new EstimatorChain<ITransformer>().Append(capture).Fit(data);
        SchemaShape.Column key = capture.Shape!.Single(column => column.Name == "Key");
        Assert.IsTrue(key.IsKey);
        Assert.AreEqual("KeyValues", key.Annotations.Single().Name);
    }

    /// <summary><see cref="SavedChain"/>: ML.NET loads no type of ours, but ours may let one of its own be written in its place.</summary>
    [TestMethod]
    public void A_transformer_of_ours_may_save_another_in_its_place()
    {
        IDataView data = _ml.Data.LoadFromEnumerable([new PathRow { ImagePath = "a" }]);
        var inner = _ml.Transforms.CopyColumns("Copy", "ImagePath").Fit(data);
        using var file = new MemoryStream();
        _ml.Model.Save(new EstimatorChain<ITransformer>().Append(new Capture(new Delegating(inner))).Fit(data), data.Schema, file);
        ITransformer loaded = new MLContext().Model.Load(file, out _);
        Assert.AreEqual("a", loaded.Transform(data).GetColumn<string>("Copy").Single());
    }

    /// <summary><see cref="ImageReader"/> tells an image that ML.NET has disposed by the error of its width.</summary>
    [TestMethod]
    public void A_disposed_image_refuses_its_width()
    {
        MLImage image = TestImages.Draw(0);
        image.Dispose();
        Assert.ThrowsExactly<InvalidOperationException>(() => image.Width);
    }

    private sealed class Capture(ITransformer transformer) : IEstimator<ITransformer>
    {
        public SchemaShape? Shape { get; private set; }

        public ITransformer Fit(IDataView input) => transformer;

        public SchemaShape GetOutputSchema(SchemaShape inputSchema) => Shape = inputSchema;
    }

    private sealed class Delegating(ITransformer inner) : ITransformer
    {
        public bool IsRowToRowMapper => inner.IsRowToRowMapper;

        public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => inner.GetOutputSchema(inputSchema);

        public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => inner.GetRowToRowMapper(inputSchema);

        public IDataView Transform(IDataView input) => inner.Transform(input);

        void ICanSaveModel.Save(ModelSaveContext ctx) => inner.Save(ctx);
    }
}
