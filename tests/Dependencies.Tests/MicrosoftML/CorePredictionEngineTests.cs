using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dependencies.Tests.MicrosoftML;

[TestClass]
public sealed class CorePredictionEngineTests
{
    private readonly MLContext _ml = new(seed: 1);

    [TestMethod]
    public void An_engine_scores_objects_through_a_mapper_by_public_means()
    {
        using var doubling = new CoreDoubling("A", "Twice");
        using PredictionEngine<Input, Output> engine = _ml.Model.CreatePredictionEngine<Input, Output>(doubling);
        Assert.AreEqual(6, engine.Predict(new Input { A = 3 }).Twice);
        Output output = engine.Predict(new Input { A = 4 });
        Assert.AreEqual(8, output.Twice);
        Assert.AreEqual(4, output.A);
        Output reused = output;
        engine.Predict(new Input { A = 5 }, ref reused);
        Assert.AreSame(output, reused);
        Assert.AreEqual(10, output.Twice);
        Assert.AreEqual("A,Twice", string.Join(",", engine.OutputSchema.Select(c => c.Name)));
    }

    [TestMethod]
    public void A_chain_of_own_and_other_transformers_scores_objects()
    {
        var doubling = new CoreDoubling("A", "Twice");
        ITransformer chain = doubling.Append(_ml.Transforms.Concatenate("Both", "A", "Twice").Fit(doubling.Transform(new CoreWatchedView(1))));
        using PredictionEngine<Input, Output> engine = _ml.Model.CreatePredictionEngine<Input, Output>(chain);
        for (int i = 0; i < 3; i++)
            CollectionAssert.AreEqual(new float[] { i, 2 * i }, engine.Predict(new Input { A = i }).Both);
    }

    [TestMethod]
    public void An_engine_disposes_the_transformer_unless_told_not_to()
    {
        var owned = new CoreDoubling("A", "Twice");
        _ml.Model.CreatePredictionEngine<Input, Output>(owned).Dispose();
        Assert.IsTrue(owned.Disposed);
        var kept = new CoreDoubling("A", "Twice");
        _ml.Model.CreatePredictionEngine<Input, Output>(kept, new PredictionEngineOptions { OwnsTransformer = false }).Dispose();
        Assert.IsFalse(kept.Disposed);
    }

    [TestMethod]
    public void Missing_output_columns_are_ignored_unless_told_otherwise()
    {
        using var doubling = new CoreDoubling("A", "Twice");
        using PredictionEngine<Input, Output> lenient = _ml.Model.CreatePredictionEngine<Input, Output>(doubling);
        Assert.IsEmpty(lenient.Predict(new Input()).Both);
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(
            () => _ml.Model.CreatePredictionEngine<Input, Output>(doubling, ignoreMissingColumns: false));
        var noInput = Assert.ThrowsExactly<ArgumentOutOfRangeException>(
            () => _ml.Model.CreatePredictionEngine<Output, Output>(new CoreDoubling("X", "Y")));
        StringAssert.Contains(noInput.Message, "Could not find input column 'X'");
    }

    [TestMethod]
    public void The_input_may_be_bound_by_a_definition_or_a_schema()
    {
        SchemaDefinition definition = SchemaDefinition.Create(typeof(Renamed));
        definition["Other"].ColumnName = "A";
        using var doubling = new CoreDoubling("A", "Twice");
        using var engine = _ml.Model.CreatePredictionEngine<Renamed, Output>(doubling, inputSchemaDefinition: definition);
        Assert.AreEqual(4, engine.Predict(new Renamed { Other = 2 }).Twice);
        var wrong = Assert.ThrowsExactly<InvalidOperationException>(
            () => _ml.Model.CreatePredictionEngine<Renamed, Output>(doubling, new CoreWatchedView(1).Schema));
        StringAssert.Contains(wrong.Message, "Type should contain a member named A");
    }

    [TestMethod]
    public void A_transformer_that_maps_no_rows_has_no_engine()
    {
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Model.CreatePredictionEngine<Input, Output>(new Unmapped()));
    }

    private sealed class Input
    {
        public float A { get; set; }
    }

    private sealed class Output
    {
        public float A { get; set; }

        public float Twice { get; set; }

        public float[] Both { get; set; } = [];
    }

    private sealed class Renamed
    {
        public float Other { get; set; }
    }

    private sealed class Unmapped : ITransformer
    {
        public bool IsRowToRowMapper => false;

        public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => inputSchema;

        public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => throw new NotSupportedException();

        public void Save(ModelSaveContext ctx) => throw new NotSupportedException();

        public IDataView Transform(IDataView input) => input;
    }
}
