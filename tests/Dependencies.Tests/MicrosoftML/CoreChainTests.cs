using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Dependencies.Tests.MicrosoftML;

[TestClass]
public sealed class CoreChainTests
{
    private readonly MLContext _ml = new(seed: 1);

    [TestMethod]
    public void A_chain_gives_its_estimators_the_shape_of_the_data()
    {
        IDataView data = _ml.Transforms.Conversion.MapValueToKey("Key", "Text").Fit(CoreRows.Numbers(_ml, 3)).Transform(CoreRows.Numbers(_ml, 3));
        SchemaShape shape = CoreShapeCapture.Of(data);
        Assert.HasCount(5, shape);
        SchemaShape.Column key = shape.Single(c => c.Name == "Key");
        Assert.IsTrue(key.IsKey);
        Assert.AreEqual(NumberDataViewType.UInt32, key.ItemType);
        Assert.AreEqual(SchemaShape.Column.VectorKind.Scalar, key.Kind);
        Assert.AreEqual("KeyValues", key.Annotations.Single().Name);
        Assert.AreEqual(SchemaShape.Column.VectorKind.Vector, key.Annotations.Single().Kind);
        Assert.AreEqual(SchemaShape.Column.VectorKind.Vector, shape.Single(c => c.Name == "Vector").Kind);
        IDataView bytes = _ml.Data.LoadFromEnumerable(new List<Bytes>());
        Assert.AreEqual(SchemaShape.Column.VectorKind.VariableVector, CoreShapeCapture.Of(bytes).Single().Kind);
    }

    [TestMethod]
    public void Hidden_columns_have_no_shape()
    {
        IDataView data = _ml.Transforms.CopyColumns("A", "B").Fit(new CoreWatchedView(1)).Transform(new CoreWatchedView(1));
        Assert.AreEqual("A,B", string.Join(",", CoreShapeCapture.Of(data).Select(c => c.Name)));
    }

    [TestMethod]
    public void The_schema_is_checked_before_anything_is_fitted()
    {
        var capture = new CoreShapeCapture(new TransformerChain<ITransformer>());
        var chain = new EstimatorChain<ITransformer>().Append(capture).Append(_ml.Transforms.CopyColumns("C", "Nothing"));
        var error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => chain.Fit(new CoreWatchedView(1)));
        Assert.AreEqual("inputSchema", error.ParamName);
        Assert.IsNull(capture.Data);
    }

    [TestMethod]
    public void A_chain_keeps_its_last_transformer_and_disposes_all()
    {
        var doubling = new CoreDoubling("A", "Twice");
        TransformerChain<ITransformer> model = new CoreShapeCapture(doubling)
            .Append<ITransformer>(_ml.Transforms.CopyColumns("Copy", "A")).Fit(new CoreWatchedView(2));
        Assert.HasCount(2, model);
        Assert.AreSame(doubling, model.First());
        Assert.AreSame(model.Last(), model.LastTransformer);
        CollectionAssert.AreEqual(new[] { 0f, 2 }, model.Transform(new CoreWatchedView(2)).GetColumn<float>("Twice").ToArray());
        model.Dispose();
        Assert.IsTrue(doubling.Disposed);
    }

    [TestMethod]
    public void A_scope_says_when_a_transformer_takes_part()
    {
        var chain = new TransformerChain<ITransformer>(
            [new CoreDoubling("A", "X"), new CoreDoubling("A", "Y")], [TransformerScope.Training, TransformerScope.Everything]);
        Assert.IsNull(chain.GetOutputSchema(new CoreWatchedView(1).Schema).GetColumnOrNull("X"));
        Assert.IsNotNull(chain.GetOutputSchema(new CoreWatchedView(1).Schema, TransformerScope.Everything).GetColumnOrNull("X"));
        Assert.HasCount(1, chain.GetModelFor(TransformerScope.Scoring));
    }

    [TestMethod]
    public void A_cache_checkpoint_caches_for_the_estimators_behind_it()
    {
        var capture = new CoreShapeCapture(new CoreDoubling("A", "Twice"));
        var source = new CoreWatchedView(4);
        _ml.Transforms.CopyColumns("C", "A").AppendCacheCheckpoint(_ml).Append(capture).Fit(source);
        Assert.IsTrue(capture.Data!.CanShuffle);
        Assert.HasCount(4, capture.Data.GetColumn<float>("C").ToArray());
        Assert.HasCount(4, capture.Data.GetColumn<float>("C").ToArray());
        Assert.AreEqual(1, source.Passes);
        Assert.ThrowsExactly<InvalidOperationException>(() => new EstimatorChain<ITransformer>().AppendCacheCheckpoint(_ml));
    }

    [TestMethod]
    public void An_estimators_delegate_sees_the_fitted_transformer()
    {
        ITransformer? seen = null;
        var estimator = _ml.Transforms.CopyColumns("C", "A").WithOnFitDelegate(t => seen = t);
        Assert.AreSame(estimator.Fit(new CoreWatchedView(1)), seen);
    }

    [TestMethod]
    public void Errors_of_components_are_marked_with_where_they_come_from()
    {
        IHost host = ((IHostEnvironment)_ml).Register("Host");
        using IChannel ch = host.Start("Work");
        var error = ch.Process(new InvalidOperationException("x"));
        Assert.AreEqual("Host", error.Data["Throwing component"]);
        Assert.AreEqual("Work", error.Data["Phase"]);
    }

    private sealed class Bytes
    {
        public byte[] Content { get; set; } = [];
    }
}
