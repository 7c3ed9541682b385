using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dependencies.Tests.MicrosoftML;

[TestClass]
public sealed class CoreRowOperationTests
{
    private readonly MLContext _ml = new(seed: 1);

    [TestMethod]
    public void Rows_are_taken_and_skipped_in_order()
    {
        IDataView data = CoreRows.Numbers(_ml, 10);
        CollectionAssert.AreEqual(new[] { 0, 1, 2 }, CoreRows.Ids(_ml, _ml.Data.TakeRows(data, 3)));
        CollectionAssert.AreEqual(new[] { 8, 9 }, CoreRows.Ids(_ml, _ml.Data.SkipRows(data, 8)));
        CollectionAssert.AreEqual(new[] { 4 }, CoreRows.Ids(_ml, _ml.Data.TakeRows(_ml.Data.SkipRows(data, 4), 1)));
        Assert.AreEqual(4, _ml.Data.TakeRows(new CoreWatchedView(10), 4).GetRowCount());
        Assert.AreEqual(0, _ml.Data.SkipRows(new CoreWatchedView(10), 20).GetRowCount());
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Data.TakeRows(data, 0));
    }

    [TestMethod]
    public void Filters_keep_what_is_within_bounds_with_the_lower_one()
    {
        IDataView data = CoreRows.Numbers(_ml, 10);
        CollectionAssert.AreEqual(new[] { 3, 4 }, CoreRows.Ids(_ml, _ml.Data.FilterRowsByColumn(data, "Value", 3, 5)));
        var text = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Data.FilterRowsByColumn(data, "Text", 3, 5));
        StringAssert.Contains(text.Message, "Schema mismatch for filter column 'Text': expected number, got String");
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Data.FilterRowsByColumn(data, "Id", 3, 5));
        Assert.IsNull(_ml.Data.FilterRowsByColumn(new CoreWatchedView(3), "A", 0, 1).GetRowCount());
    }

    [TestMethod]
    public void A_predicate_says_which_rows_to_leave_out()
    {
        IDataView data = CoreRows.Numbers(_ml, 5);
        IDataView kept = _ml.Data.FilterByCustomPredicate<CoreRows.IdOnly>(data, row => row.Id % 2 == 0);
        CollectionAssert.AreEqual(new[] { 1, 3 }, CoreRows.Ids(_ml, kept));
    }

    [TestMethod]
    public void Rows_that_lack_a_number_are_left_out()
    {
        float[] values = [1, float.NaN, 3];
        IDataView data = _ml.Data.LoadFromEnumerable(values.Select((v, i) => new CoreRows.Number { Id = i, Value = v, Vector = [0, 0] }));
        CollectionAssert.AreEqual(new[] { 0, 2 }, CoreRows.Ids(_ml, _ml.Data.FilterRowsByMissingValues(data, "Value")));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Data.FilterRowsByMissingValues(data));
    }

    [TestMethod]
    public void Shuffled_rows_are_a_permutation_that_the_seed_fixes()
    {
        IDataView data = CoreRows.Numbers(_ml, 200);
        int[] first = CoreRows.Ids(_ml, _ml.Data.ShuffleRows(data, seed: 3));
        int[] same = CoreRows.Ids(_ml, new MLContext(9).Data.ShuffleRows(data, seed: 3));
        int[] other = CoreRows.Ids(_ml, _ml.Data.ShuffleRows(data, seed: 4));
        CollectionAssert.AreEqual(first, same);
        CollectionAssert.AreNotEqual(first, other);
        CollectionAssert.AreNotEqual(Enumerable.Range(0, 200).ToArray(), first);
        CollectionAssert.AreEquivalent(Enumerable.Range(0, 200).ToArray(), first);
        IDataView shuffled = _ml.Data.ShuffleRows(data, seed: 3);
        CollectionAssert.AreEqual(CoreRows.Ids(_ml, shuffled), CoreRows.Ids(_ml, shuffled));
        CollectionAssert.AreEqual(
            Enumerable.Range(0, 200).ToArray(), CoreRows.Ids(_ml, _ml.Data.ShuffleRows(data, seed: 3, shufflePoolSize: 1)));
    }

    [TestMethod]
    public void A_pool_lets_rows_come_early_by_no_more_than_its_size()
    {
        int[] ids = CoreRows.Ids(_ml, _ml.Data.ShuffleRows(CoreRows.Numbers(_ml, 300), seed: 1, shufflePoolSize: 10));
        for (int i = 0; i < ids.Length; i++)
            Assert.IsLessThan(i + 10, ids[i]);
    }

    [TestMethod]
    public void A_source_that_can_shuffle_is_asked_to_unless_told_otherwise()
    {
        var source = new CoreWatchedView(5);
        _ = _ml.Data.ShuffleRows(source, seed: 1).GetColumn<float>("A").ToArray();
        _ = _ml.Data.ShuffleRows(source, seed: 1, shuffleSource: false).GetColumn<float>("A").ToArray();
        Assert.IsNotNull(source.Generators[0]);
        Assert.IsNull(source.Generators[1]);
    }

    [TestMethod]
    public void A_cursor_with_a_generator_shuffles_what_can_be_shuffled()
    {
        IDataView cached = _ml.Data.Cache(CoreRows.Numbers(_ml, 100));
        Assert.IsTrue(cached.CanShuffle);
        int[] ids = Read(cached, new Random(1));
        CollectionAssert.AreEquivalent(Enumerable.Range(0, 100).ToArray(), ids);
        CollectionAssert.AreNotEqual(Enumerable.Range(0, 100).ToArray(), ids);
        CollectionAssert.AreEqual(Enumerable.Range(0, 100).ToArray(), Read(CoreRows.Numbers(_ml, 100), new Random(1)));

        static int[] Read(IDataView data, Random rand)
        {
            using DataViewRowCursor cursor = data.GetRowCursor([data.Schema["Id"]], rand);
            ValueGetter<int> getter = cursor.GetGetter<int>(data.Schema["Id"]);
            var read = new List<int>();
            while (cursor.MoveNext())
            {
                int id = 0;
                getter(ref id);
                read.Add(id);
            }

            return [.. read];
        }
    }

    [TestMethod]
    public void A_cursor_set_has_every_row_once()
    {
        IDataView data = _ml.Transforms.CustomMapping<CoreRows.IdOnly, CoreRows.IdOnly>((src, dst) => dst.Id = src.Id, null)
            .Fit(CoreRows.Numbers(_ml, 1)).Transform(CoreRows.Numbers(_ml, 1000));
        DataViewRowCursor[] cursors = data.GetRowCursorSet([data.Schema["Id"]], 3);
        var read = new List<int>();
        Task.WaitAll([.. cursors.Select(cursor => Task.Run(() =>
        {
            using (cursor)
            {
                ValueGetter<int> getter = cursor.GetGetter<int>(data.Schema["Id"]);
                while (cursor.MoveNext())
                {
                    int id = 0;
                    getter(ref id);
                    lock (read)
                        read.Add(id);
                }
            }
        }))]);
        CollectionAssert.AreEquivalent(Enumerable.Range(0, 1000).ToArray(), read);
    }
}
