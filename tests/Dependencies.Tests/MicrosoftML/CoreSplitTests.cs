using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dependencies.Tests.MicrosoftML;

[TestClass]
public sealed class CoreSplitTests
{
    [TestMethod]
    public void A_split_is_about_the_fraction_and_the_seed_fixes_it()
    {
        var ml = new MLContext(seed: 1);
        IDataView data = CoreRows.Numbers(ml, 2000);
        DataOperationsCatalog.TrainTestData split = ml.Data.TrainTestSplit(data, testFraction: 0.25);
        int[] test = CoreRows.Ids(ml, split.TestSet);
        int[] train = CoreRows.Ids(ml, split.TrainSet);
        Assert.IsInRange(420, 580, test.Length);
        CollectionAssert.AreEquivalent(Enumerable.Range(0, 2000).ToArray(), test.Concat(train).ToArray());
        CollectionAssert.AreEqual(test, CoreRows.Ids(ml, split.TestSet));
        CollectionAssert.AreEqual(test, CoreRows.Ids(ml, new MLContext(1).Data.TrainTestSplit(data, 0.25).TestSet));
        CollectionAssert.AreEqual(test, CoreRows.Ids(ml, new MLContext(2).Data.TrainTestSplit(data, 0.25, seed: 1).TestSet));
        CollectionAssert.AreNotEqual(test, CoreRows.Ids(ml, new MLContext(2).Data.TrainTestSplit(data, 0.25).TestSet));
        Assert.IsNull(split.TrainSet.Schema.GetColumnOrNull("SplitColumn"));
        Assert.HasCount(data.Schema.Count, split.TrainSet.Schema);
    }

    [TestMethod]
    public void Without_any_seed_a_split_is_the_same_every_time()
    {
        IDataView data = CoreRows.Numbers(new MLContext(), 100);
        var a = new MLContext();
        var b = new MLContext();
        CollectionAssert.AreEqual(CoreRows.Ids(a, a.Data.TrainTestSplit(data).TestSet), CoreRows.Ids(b, b.Data.TrainTestSplit(data).TestSet));
    }

    [TestMethod]
    public void Equal_sampling_keys_stay_together()
    {
        var ml = new MLContext(seed: 1);
        IDataView data = ml.Data.LoadFromEnumerable(
            Enumerable.Range(0, 400).Select(i => new CoreRows.Number { Id = i, Text = $"group{i % 40}", Vector = [0, 0] }));
        DataOperationsCatalog.TrainTestData split = ml.Data.TrainTestSplit(data, testFraction: 0.3, samplingKeyColumnName: "Text");
        string[] test = [.. split.TestSet.GetColumn<string>("Text").Distinct()];
        string[] train = [.. split.TrainSet.GetColumn<string>("Text").Distinct()];
        Assert.IsNotEmpty(test);
        Assert.IsEmpty(test.Intersect(train).ToArray());
        Assert.AreEqual(40, test.Length + train.Length);
        int[] ids = CoreRows.Ids(ml, ml.Data.TrainTestSplit(data, 0.3, samplingKeyColumnName: "Id").TestSet);
        Assert.IsInRange(60, 180, ids.Length);
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => ml.Data.TrainTestSplit(data, 0.3, samplingKeyColumnName: "Nothing"));
    }

    [TestMethod]
    public void Folds_cover_every_row_once()
    {
        var ml = new MLContext(seed: 1);
        IReadOnlyList<DataOperationsCatalog.TrainTestData> folds = ml.Data.CrossValidationSplit(CoreRows.Numbers(ml, 500), numberOfFolds: 4);
        Assert.HasCount(4, folds);
        int[] all = [.. folds.SelectMany(f => CoreRows.Ids(ml, f.TestSet))];
        CollectionAssert.AreEquivalent(Enumerable.Range(0, 500).ToArray(), all);
        foreach (DataOperationsCatalog.TrainTestData fold in folds)
            Assert.AreEqual(500, CoreRows.Ids(ml, fold.TrainSet).Length + CoreRows.Ids(ml, fold.TestSet).Length);
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => ml.Data.CrossValidationSplit(CoreRows.Numbers(ml, 5), numberOfFolds: 1));
    }
}
