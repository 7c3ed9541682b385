using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dependencies.Tests.MicrosoftML;

/// <summary>Metrics of six rows that were worked out by hand.</summary>
[TestClass]
public class EvaluateTests
{
    /// <summary>Ranks of the right class: 0, 0, 1, 0, 2, 1.</summary>
    private static readonly (uint Label, float[] Score)[] Six =
    [
        (0, [0.7f, 0.2f, 0.1f]),
        (0, [0.5f, 0.3f, 0.2f]),
        (0, [0.3f, 0.6f, 0.1f]),
        (1, [0.1f, 0.8f, 0.1f]),
        (2, [0.5f, 0.4f, 0.1f]),
        (2, [0.2f, 0.5f, 0.3f]),
    ];

    private readonly MLContext _ml = new(seed: 1);

    [TestMethod]
    public void Accuracies()
    {
        var metrics = Evaluate(Six);
        Assert.AreEqual(3.0 / 6, metrics.MicroAccuracy, 1e-12);
        Assert.AreEqual(((2.0 / 3) + 1 + 0) / 3, metrics.MacroAccuracy, 1e-12);
        Assert.AreEqual(0, metrics.TopKPredictionCount);
        Assert.AreEqual(0, metrics.TopKAccuracy);
        Assert.IsNull(metrics.TopKAccuracyForAllK);
    }

    [TestMethod]
    public void Logarithmic_loss()
    {
        var metrics = Evaluate(Six);
        double[] losses = [-Math.Log(0.7) - Math.Log(0.5) - Math.Log(0.3), -Math.Log(0.8), -Math.Log(0.1) - Math.Log(0.3)];
        Assert.AreEqual(losses.Sum() / 6, metrics.LogLoss, 1e-6);
        Assert.AreEqual(losses[0] / 3, metrics.PerClassLogLoss[0], 1e-6);
        Assert.AreEqual(losses[1], metrics.PerClassLogLoss[1], 1e-6);
        Assert.AreEqual(losses[2] / 2, metrics.PerClassLogLoss[2], 1e-6);
        double entropy = -((3 * Math.Log(3.0 / 6)) + Math.Log(1.0 / 6) + (2 * Math.Log(2.0 / 6))) / 6;
        Assert.AreEqual((entropy - metrics.LogLoss) / entropy, metrics.LogLossReduction, 1e-9);
    }

    [TestMethod]
    public void Accuracy_of_several_guesses()
    {
        var metrics = Evaluate(Six, topK: 2);
        Assert.AreEqual(2, metrics.TopKPredictionCount);
        Assert.AreEqual(5.0 / 6, metrics.TopKAccuracy, 1e-12);
        Assert.HasCount(2, metrics.TopKAccuracyForAllK);
        Assert.AreEqual(3.0 / 6, metrics.TopKAccuracyForAllK[0], 1e-12);
        Assert.AreEqual(1, Evaluate(Six, topK: 3).TopKAccuracy, 1e-12);
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Evaluate(Six, topK: -1));
    }

    [TestMethod]
    public void Confusion_matrix()
    {
        var matrix = Evaluate(Six).ConfusionMatrix;
        Assert.AreEqual(3, matrix.NumberOfClasses);
        double[][] expected = [[2, 1, 0], [0, 1, 0], [1, 1, 0]];
        for (int actual = 0; actual < 3; actual++)
        {
            for (int predicted = 0; predicted < 3; predicted++)
            {
                Assert.AreEqual(expected[actual][predicted], matrix.Counts[actual][predicted]);
                Assert.AreEqual(expected[actual][predicted], matrix.GetCountForClassPair(predicted, actual));
            }
        }

        CollectionAssert.AreEqual(new[] { 2.0 / 3, 1, 0 }, matrix.PerClassRecall.ToArray());
        CollectionAssert.AreEqual(new[] { 2.0 / 3, 1.0 / 3, 0 }, matrix.PerClassPrecision.ToArray());
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => matrix.GetCountForClassPair(3, 0));
    }

    [TestMethod]
    public void Confusion_table_for_people()
    {
        string[] expected =
        [
            "",
            "Confusion table",
            "          ||========================",
            "PREDICTED ||     0 |     1 |     2 | Recall",
            "TRUTH     ||========================",
            "        0 ||     2 |     1 |     0 | 0.6667",
            "        1 ||     0 |     1 |     0 | 1.0000",
            "        2 ||     1 |     1 |     0 | 0.0000",
            "          ||========================",
            "Precision ||0.6667 |0.3333 |0.0000 |",
            "",
        ];
        Assert.AreEqual(string.Join(Environment.NewLine, expected), Evaluate(Six).ConfusionMatrix.GetFormattedConfusionTable());
    }

    [TestMethod]
    public void Long_names_are_numbered_in_the_table()
    {
        var rows = Enumerable.Range(0, 20).Select(i => new NamedRow { Name = i % 2 == 0 ? "elephant-like" : "mouse", Features = [i % 2] }).ToArray();
        IDataView data = _ml.Data.LoadFromEnumerable(rows);
        var pipeline = _ml.Transforms.Conversion.MapValueToKey("Label", "Name").Append(_ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy());
        var metrics = _ml.MulticlassClassification.Evaluate(pipeline.Fit(data).Transform(data));
        string[] lines = metrics.ConfusionMatrix.GetFormattedConfusionTable().Split(Environment.NewLine);
        Assert.AreEqual("PREDICTED        ||        0 |        1 | Recall", lines[3]);
        Assert.AreEqual("0. elephant-like ||       10 |        0 | 1.0000", lines[5]);
        Assert.AreEqual("1.         mouse ||        0 |       10 | 1.0000", lines[6]);
    }

    [TestMethod]
    public void Equal_scores_rank_in_the_order_of_the_classes()
    {
        (uint, float[])[] rows = [(0, [0.5f, 0.5f, 0]), (1, [0.5f, 0.5f, 0]), (2, [0.4f, 0.3f, 0.3f])];
        var metrics = Evaluate(rows, topK: 3);
        Assert.AreEqual(1.0 / 3, metrics.TopKAccuracyForAllK[0], 1e-12);
        Assert.AreEqual(2.0 / 3, metrics.TopKAccuracyForAllK[1], 1e-12);
        Assert.AreEqual(1, metrics.ConfusionMatrix.Counts[1][0]);
    }

    [TestMethod]
    public void Numbers_do_as_labels()
    {
        var expected = Evaluate(Six);
        var found = EvaluateNumbers([.. Six.Select(row => ((float)row.Label, row.Score))]);
        Assert.AreEqual(expected.MicroAccuracy, found.MicroAccuracy);
        Assert.AreEqual(expected.LogLoss, found.LogLoss);
        CollectionAssert.AreEqual(expected.ConfusionMatrix.Counts[0].ToArray(), found.ConfusionMatrix.Counts[0].ToArray());
    }

    [TestMethod]
    public void A_class_that_the_model_does_not_know_costs_but_is_in_no_cell()
    {
        var metrics = EvaluateNumbers([.. Six.Select(row => ((float)row.Label, row.Score)), (5f, [0.2f, 0.5f, 0.3f])], topK: 3);
        Assert.AreEqual(3.0 / 7, metrics.MicroAccuracy, 1e-12);
        Assert.AreEqual(((2.0 / 3) + 1 + 0) / 3, metrics.MacroAccuracy, 1e-12);
        Assert.AreEqual(6.0 / 7, metrics.TopKAccuracy, 1e-12);
        Assert.AreEqual(6, metrics.ConfusionMatrix.Counts.Sum(row => row.Sum()));
        Assert.AreEqual(((Evaluate(Six).LogLoss * 6) - Math.Log(1e-15)) / 7, metrics.LogLoss, 1e-5);
    }

    [TestMethod]
    public void Rows_that_cannot_be_judged_do_not_count()
    {
        (float, float[])[] rows =
        [
            .. Six.Select(row => ((float)row.Label, row.Score)),
            (float.NaN, [1, 0, 0]), (-1, [1, 0, 0]), (0.5f, [1, 0, 0]), (0, [float.NaN, 0, 0]), (0, [float.PositiveInfinity, 0, 0]),
        ];
        Assert.AreEqual(0.5, EvaluateNumbers(rows).MicroAccuracy);
    }

    [TestMethod]
    public void Columns_must_be_there_and_of_the_right_types()
    {
        IDataView data = _ml.Data.LoadFromEnumerable(Array.Empty<KeyRow>());
        var catalog = _ml.MulticlassClassification;
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => catalog.Evaluate(data, "Nothing"));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => catalog.Evaluate(data, "Label", "Nothing"));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => catalog.Evaluate(data, "Label", "Score", "Nothing"));
        var exception = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => catalog.Evaluate(data, "Label", "Label"));
        StringAssert.Contains(exception.Message, "expected vector of two or more items of type Single");
        exception = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => catalog.Evaluate(data, "Text"));
        StringAssert.Contains(exception.Message, "expected Single or Key");
    }

    private MulticlassClassificationMetrics Evaluate((uint Label, float[] Score)[] rows, int topK = 0) =>
        _ml.MulticlassClassification.Evaluate(
            _ml.Data.LoadFromEnumerable(rows.Select(row => new KeyRow { Label = row.Label, Score = row.Score }).ToArray()),
            topKPredictionCount: topK);

    private MulticlassClassificationMetrics EvaluateNumbers((float Label, float[] Score)[] rows, int topK = 0) =>
        _ml.MulticlassClassification.Evaluate(
            _ml.Data.LoadFromEnumerable(rows.Select(row => new NumberRow { Label = row.Label, Score = row.Score }).ToArray()),
            topKPredictionCount: topK);

    private sealed class KeyRow
    {
        [KeyType(3)]
        public uint Label { get; set; }

        [KeyType(3)]
        public uint PredictedLabel { get; set; }

        [VectorType(3)]
        public float[]? Score { get; set; }

        public string? Text { get; set; }
    }

    private sealed class NumberRow
    {
        public float Label { get; set; }

        [KeyType(3)]
        public uint PredictedLabel { get; set; }

        [VectorType(3)]
        public float[]? Score { get; set; }
    }

    private sealed class NamedRow
    {
        public string? Name { get; set; }

        [VectorType(1)]
        public float[]? Features { get; set; }
    }
}
