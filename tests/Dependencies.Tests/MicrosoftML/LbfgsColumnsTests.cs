using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dependencies.Tests.MicrosoftML;

/// <summary>What a trained classifier says of its columns, also once it was saved.</summary>
[TestClass]
public class LbfgsColumnsTests
{
    private readonly MLContext _ml = new(seed: 1);

    [TestMethod]
    public void Columns_carry_the_names_of_the_classes()
    {
        ITransformer model = Train();
        CheckColumns(model.Transform(Data()).Schema);
    }

    [TestMethod]
    public void A_saved_model_is_the_same()
    {
        ITransformer model = Train();
        var file = new MemoryStream();
        _ml.Model.Save(model, Data().Schema, file);
        file.Position = 0;
        ITransformer loaded = new MLContext().Model.Load(file, out _);
        CheckColumns(loaded.Transform(Data()).Schema);
        float[][] before = [.. model.Transform(Data()).GetColumn<float[]>("Score")];
        float[][] after = [.. loaded.Transform(Data()).GetColumn<float[]>("Score")];
        for (int i = 0; i < before.Length; i++)
            CollectionAssert.AreEqual(before[i], after[i]);
    }

    [TestMethod]
    public void Predictions_turn_back_into_names()
    {
        IDataView keys = Train().Transform(Data());
        IDataView predicted = _ml.Transforms.Conversion.MapKeyToValue("PredictedLabel").Fit(keys).Transform(keys);
        CollectionAssert.AreEqual(Data().GetColumn<string>("Label").ToArray(), predicted.GetColumn<string>("PredictedLabel").ToArray());
    }

    [TestMethod]
    public void One_by_one_gives_the_same()
    {
        ITransformer model = Train();
        float[][] scores = [.. model.Transform(Data()).GetColumn<float[]>("Score")];
        using var engine = _ml.Model.CreatePredictionEngine<Row, Prediction>(model);
        Row[] rows = Rows();
        for (int i = 0; i < rows.Length; i++)
        {
            Prediction prediction = engine.Predict(rows[i]);
            CollectionAssert.AreEqual(scores[i], prediction.Score);
            Assert.AreEqual((uint)(Array.IndexOf(scores[i], scores[i].Max()) + 1), prediction.PredictedLabel);
        }
    }

    [TestMethod]
    public void Labels_without_names_leave_columns_without_names()
    {
        var rows = Enumerable.Range(0, 30).Select(i => new NumberRow { Label = (uint)(i % 2), Features = [i % 2, 1] }).ToArray();
        IDataView data = _ml.Data.LoadFromEnumerable(rows);
        DataViewSchema schema = _ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy().Fit(data).Transform(data).Schema;
        Assert.IsFalse(schema["PredictedLabel"].HasKeyValues());
        Assert.IsFalse(schema["Score"].HasSlotNames());
    }

    [TestMethod]
    public void Labels_that_were_numbers_stay_numbers()
    {
        var rows = Enumerable.Range(0, 30).Select(i => new FloatRow { Label = (i % 2) + 0.5f, Features = [i % 2, 1] }).ToArray();
        IDataView data = _ml.Data.LoadFromEnumerable(rows);
        var pipeline = _ml.Transforms.Conversion.MapValueToKey("Label").Append(_ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy());
        var file = new MemoryStream();
        _ml.Model.Save(pipeline.Fit(data), data.Schema, file);
        file.Position = 0;
        DataViewSchema schema = _ml.Model.Load(file, out _).Transform(data).Schema;
        VBuffer<float> values = default;
        schema["PredictedLabel"].GetKeyValues(ref values);
        CollectionAssert.AreEqual(new[] { 0.5f, 1.5f }, values.DenseValues().ToArray());
        schema["Score"].Annotations.GetValue("TrainingLabelValues", ref values);
        CollectionAssert.AreEqual(new[] { 0.5f, 1.5f }, values.DenseValues().ToArray());
        Assert.IsFalse(schema["Score"].HasSlotNames());
    }

    [TestMethod]
    public void A_second_classifier_has_another_number()
    {
        IDataView once = Train().Transform(Data());
        IDataView twice = _ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy("Key").Fit(once).Transform(once);
        Assert.AreEqual(1u, SetId(once.Schema["Score"]));
        Assert.AreEqual(2u, SetId(twice.Schema["Score"]));
        Assert.AreEqual(2u, SetId(twice.Schema["PredictedLabel"]));
    }

    [TestMethod]
    public void Features_of_another_shape_are_refused()
    {
        ITransformer model = _ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy("Key")
            .Fit(_ml.Transforms.Conversion.MapValueToKey("Key", "Label").Fit(Data()).Transform(Data()));
        IDataView flat = _ml.Data.LoadFromEnumerable(new[] { new FlatRow { Features = [1, 2] } });
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => model.GetOutputSchema(flat.Schema));
        IDataView longer = _ml.Data.LoadFromEnumerable(new[] { new LongRow { Features = [1, 2, 3] } });
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => model.GetOutputSchema(longer.Schema));
        Assert.ThrowsExactly<InvalidOperationException>(() => model.Transform(longer));
    }

    private static void CheckColumns(DataViewSchema schema)
    {
        DataViewSchema.Column label = schema["PredictedLabel"];
        DataViewSchema.Column score = schema["Score"];
        Assert.IsTrue(label.Type is KeyDataViewType { Count: 3 } key && key.RawType == typeof(uint));
        Assert.AreEqual(new VectorDataViewType(NumberDataViewType.Single, 3), score.Type);
        Assert.IsLessThan(score.Index, label.Index);
        CollectionAssert.AreEqual(new[] { "ant", "bee", "cow" }, Names(label, "KeyValues"));
        CollectionAssert.AreEqual(new[] { "ant", "bee", "cow" }, Names(score, "SlotNames"));
        CollectionAssert.AreEqual(new[] { "ant", "bee", "cow" }, Names(score, "TrainingLabelValues"));
        Assert.AreEqual("MulticlassClassification", Text(label, "ScoreColumnKind"));
        Assert.AreEqual("MulticlassClassification", Text(score, "ScoreColumnKind"));
        Assert.AreEqual("PredictedLabel", Text(label, "ScoreValueKind"));
        Assert.AreEqual("Score", Text(score, "ScoreValueKind"));
        Assert.AreEqual(SetId(label), SetId(score));
    }

    private static string[] Names(DataViewSchema.Column column, string kind)
    {
        VBuffer<ReadOnlyMemory<char>> names = default;
        column.Annotations.GetValue(kind, ref names);
        return [.. names.DenseValues().Select(name => name.ToString())];
    }

    private static string Text(DataViewSchema.Column column, string kind)
    {
        ReadOnlyMemory<char> text = default;
        column.Annotations.GetValue(kind, ref text);
        return text.ToString();
    }

    private static uint SetId(DataViewSchema.Column column)
    {
        uint id = 0;
        column.Annotations.GetValue("ScoreColumnSetId", ref id);
        return id;
    }

    private static Row[] Rows()
    {
        string[] names = ["ant", "bee", "cow"];
        return [.. Enumerable.Range(0, 30).Select(i => new Row { Label = names[i % 3], Features = [i % 3 == 0 ? 5 : 0, i % 3 == 1 ? 5 : 0] })];
    }

    private IDataView Data() => _ml.Data.LoadFromEnumerable(Rows());

    private ITransformer Train() =>
        _ml.Transforms.Conversion.MapValueToKey("Key", "Label").Append(_ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy("Key")).Fit(Data());

    private sealed class Row
    {
        public string? Label { get; set; }

        [VectorType(1, 2)]
        public float[]? Features { get; set; }
    }

    private sealed class FlatRow
    {
        [VectorType(2)]
        public float[]? Features { get; set; }
    }

    private sealed class LongRow
    {
        [VectorType(3)]
        public float[]? Features { get; set; }
    }

    private sealed class NumberRow
    {
        [KeyType(2)]
        public uint Label { get; set; }

        [VectorType(2)]
        public float[]? Features { get; set; }
    }

    private sealed class FloatRow
    {
        public float Label { get; set; }

        [VectorType(2)]
        public float[]? Features { get; set; }
    }

    private sealed class Prediction
    {
        public uint PredictedLabel { get; set; }

        public float[]? Score { get; set; }
    }
}
