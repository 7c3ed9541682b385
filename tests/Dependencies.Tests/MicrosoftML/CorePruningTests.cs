using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dependencies.Tests.MicrosoftML;

[TestClass]
public sealed class CorePruningTests
{
    private readonly MLContext _ml = new(seed: 1);

    [TestMethod]
    public void Only_needed_columns_are_asked_for_through_transforms_and_filters()
    {
        var source = new CoreWatchedView(10);
        IDataView doubled = new CoreDoubling("A", "Twice").Transform(source);
        IDataView copied = _ml.Transforms.CopyColumns("Copy", "Twice").Fit(doubled).Transform(doubled);
        IDataView selected = _ml.Transforms.SelectColumns("B", "Copy").Fit(copied).Transform(copied);
        IDataView taken = _ml.Data.TakeRows(selected, 5);
        CollectionAssert.AreEqual(new[] { 0f, 10, 20, 30, 40 }, taken.GetColumn<float>("B").ToArray());
        Assert.AreEqual("B", source.Requested.Single());
        CollectionAssert.AreEqual(new[] { 0f, 2, 4, 6, 8 }, taken.GetColumn<float>("Copy").ToArray());
        Assert.AreEqual("A", source.Requested.Last());
        _ = _ml.Data.FilterRowsByColumn(source, "A", 2, 4).GetColumn<float>("B").ToArray();
        Assert.AreEqual("A,B", source.Requested.Last());
    }

    [TestMethod]
    public void A_column_that_nobody_reads_is_not_computed()
    {
        var doubling = new CoreDoubling("A", "Twice");
        IDataView data = doubling.Transform(new CoreWatchedView(10));
        _ = data.GetColumn<float>("B").ToArray();
        Assert.AreEqual(0, doubling.Computed);
        _ = data.GetColumn<float>("Twice").ToArray();
        Assert.AreEqual(10, doubling.Computed);
    }

    [TestMethod]
    public void A_cache_reads_each_column_once()
    {
        var source = new CoreWatchedView(10);
        IDataView cache = _ml.Data.Cache(source);
        Assert.AreEqual(0, source.Passes);
        for (int i = 0; i < 3; i++)
            CollectionAssert.AreEqual(new[] { 0f, 10, 20 }, cache.GetColumn<float>("B").Take(3).ToArray());
        Assert.AreEqual("B", source.Requested.Single());
        Assert.HasCount(10, _ml.Data.CreateEnumerable<Both>(cache, reuseRowObject: false).Where(r => r.B == 10 * r.A).ToArray());
        CollectionAssert.AreEqual(new[] { "B", "A" }, source.Requested);
    }

    [TestMethod]
    public void A_cache_may_fetch_ahead_and_must_know_the_columns()
    {
        var source = new CoreWatchedView(10);
        IDataView cache = _ml.Data.Cache(source, "A");
        Assert.HasCount(10, cache.GetColumn<float>("A").ToArray());
        Assert.AreEqual("A", source.Requested.Single());
        var missing = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Data.Cache(source, "C"));
        StringAssert.Contains(missing.Message, "Could not find prefetch column 'C'");
    }

    [TestMethod]
    public void A_failure_while_reading_ahead_comes_out_of_the_cursor_with_its_cause()
    {
        IDataView data = CoreRows.Numbers(_ml, 10);
        IDataView failing = _ml.Transforms
            .CustomMapping<CoreRows.IdOnly, CoreRows.IdOnly>((src, dst) => throw new NotSupportedException("row"), null)
            .Fit(data).Transform(data);
        var error = Assert.ThrowsExactly<InvalidOperationException>(() => failing.GetColumn<int>("Id").ToArray());
        Exception cause = error;
        while (cause.InnerException != null)
            cause = cause.InnerException;
        Assert.AreEqual("row", cause.Message);
    }

    private sealed class Both
    {
        public float A { get; set; }

        public float B { get; set; }
    }
}
