using Smae.Training;

namespace Smae.MLNet.Tests;

/// <summary>What the cursors of an embedding column give, and what they leave alone.</summary>
[TestClass]
public sealed class EmbeddingCursorTests : EmbeddingFixture
{
    [TestMethod]
    public void Other_columns_position_batch_and_id_pass_through_while_rows_are_read_ahead()
    {
        var data = new CountingDataView(Context.Data.LoadFromEnumerable(Enumerable.Range(0, Count).Select(i => new ManyTypesRow
        {
            ImagePath = At(TestImages.Classes[i % 2], $"image{i:000}.png"), Number = i, Text = $"text {i}", Flag = i % 3 == 0,
            Vector = [i, 2 * i], Ragged = [.. Enumerable.Range(0, i % 5)], Words = [$"a{i}", $"b{i}"], Key = (uint)(i % 7) + 1,
        }).ToList()));
        var expected = Read<ManyTypesRow>(data);
        var embedded = Embed(data);
        Assert.AreEqual(data.Schema["Key"].Type, embedded.Schema["Key"].Type);
        var found = Read<ManyTypesRow>(embedded);
        Assert.HasCount(Count, found);
        for (int i = 0; i < Count; i++)
        {
            Assert.AreEqual((i, $"text {i}", i % 3 == 0, expected[i].Key), (found[i].Number, found[i].Text, found[i].Flag, found[i].Key));
            CollectionAssert.AreEqual(expected[i].Vector, found[i].Vector);
            CollectionAssert.AreEqual(expected[i].Ragged, found[i].Ragged);
            CollectionAssert.AreEqual(expected[i].Words, found[i].Words);
        }

        using var source = data.GetRowCursor(data.Schema);
        using var cursor = embedded.GetRowCursor(embedded.Schema);
        Assert.AreEqual(-1, cursor.Position);
        var (sourceId, id) = (source.GetIdGetter(), cursor.GetIdGetter());
        while (source.MoveNext())
        {
            Assert.IsTrue(cursor.MoveNext());
            DataViewRowId a = default, b = default;
            sourceId(ref a);
            id(ref b);
            Assert.AreEqual((source.Position, source.Batch, a), (cursor.Position, cursor.Batch, b));
        }
        Assert.IsFalse(cursor.MoveNext());
        Assert.IsFalse(cursor.MoveNext());
        Assert.AreEqual(-1, cursor.Position);
    }

    [TestMethod]
    public void A_reader_may_write_into_the_vectors_it_gets()
    {
        var data = Context.Data.LoadFromEnumerable(new[] { new ManyTypesRow { ImagePath = AnyImage(), Vector = [1, 2] } });
        var embedded = Embed(data);
        using var cursor = embedded.GetRowCursor([embedded.Schema["Vector"], embedded.Schema["Embedding"]]);
        foreach (string name in new[] { "Vector", "Embedding" })
        {
            var getter = cursor.GetGetter<VBuffer<float>>(embedded.Schema[name]);
            if (cursor.Position < 0)
                Assert.IsTrue(cursor.MoveNext());
            VBuffer<float> value = default;
            getter(ref value);
            float[] before = [.. value.DenseValues()];
            var editor = VBufferEditor.CreateFromBuffer(ref value);
            editor.Values.Fill(-7);
            value = editor.Commit();
            getter(ref value);
            CollectionAssert.AreEqual(before, value.DenseValues().ToArray());
        }
    }

    [TestMethod]
    public void Reading_other_columns_computes_no_embedding()
    {
        var counting = new CountingDataView(Context.Data.LoadFromEnumerable(
            Enumerable.Range(0, 9).Select(i => new PathRow { ImagePath = "no such file", Label = $"{i}" }).ToList()));
        var embedded = Embed(counting, BrokenImagePolicy.Fail);
        CollectionAssert.AreEqual(Enumerable.Range(0, 9).Select(i => $"{i}").ToArray(), Read<LabelRow>(embedded).Select(row => row.Label).ToArray());
        CollectionAssert.AreEqual(new[] { "Label" }, counting.Columns);
        Assert.AreEqual(9, counting.Rows);
        Assert.HasCount(1, embedded.GetRowCursorSet([embedded.Schema["Label"]], 1));
        Assert.ThrowsExactly<InvalidDataException>(() => Read<EmbeddingOnly>(embedded));
        CollectionAssert.AreEqual(new[] { "ImagePath" }, counting.Columns);
    }

    [TestMethod]
    public void A_reader_of_a_few_rows_does_not_wait_for_many()
    {
        var counting = new CountingDataView(Images);
        Assert.HasCount(3, Read<EmbeddedRow>(Context.Data.TakeRows(Embed(counting), 3)));
        Assert.IsLessThan(10, counting.Rows);
    }

    [TestMethod]
    public void An_image_that_cannot_be_read_is_nan_with_a_warning()
    {
        var log = new LogRecorder(Context);
        string broken = TestImages.Truncate(TestImages.Write(At("disc", "broken.jpg"), 1));
        var rows = Read<EmbeddedRow>(Embed(Context.Data.LoadImageFolder(At())));
        Assert.HasCount(Count + 1, rows);
        foreach (var row in rows)
            Assert.AreEqual(row.ImagePath == broken, row.Embedding.All(float.IsNaN));
        Assert.HasCount(2, log.Warnings);
        StringAssert.Contains(log.Warnings[0], broken);
        StringAssert.Contains(log.Warnings[1], "1 of 151");
    }

    [TestMethod]
    public void An_image_that_cannot_be_read_is_an_error_by_option_when_its_row_is_reached()
    {
        var rows = Enumerable.Range(0, 8).Select(i => new PathRow { ImagePath = i == 6 ? "no such file" : AnyImage() }).ToList();
        using var cursor = CursorOver(Embed(Context.Data.LoadFromEnumerable(rows), BrokenImagePolicy.Fail));
        for (int i = 0; i < 6; i++)
            Assert.IsTrue(cursor.MoveNext(), $"row {i}");
        var error = Assert.ThrowsExactly<InvalidDataException>(() => cursor.MoveNext());
        StringAssert.Contains(error.Message, "no such file");
    }

    [TestMethod]
    public void An_error_of_the_rows_below_comes_when_its_row_is_reached()
    {
        static IEnumerable<PathRow> Rows(string path)
        {
            for (int i = 0; i < 6; i++)
                yield return new PathRow { ImagePath = path };
            throw new IOException("the source broke");
        }

        using var cursor = CursorOver(Embed(Context.Data.LoadFromEnumerable(Rows(AnyImage()))));
        for (int i = 0; i < 6; i++)
            Assert.IsTrue(cursor.MoveNext(), $"row {i}");
        var error = Assert.Throws<Exception>(() => cursor.MoveNext());
        StringAssert.Contains(error.ToString(), "the source broke");
    }

    [TestMethod]
    public void Several_cursors_read_at_once()
    {
        var embedded = Embed(Images);
        var expected = Read<EmbeddedRow>(embedded);
        Parallel.For(0, 4, _ =>
        {
            var found = Read<EmbeddedRow>(embedded);
            for (int i = 0; i < Count; i++)
                AssertClose(expected[i].Embedding, found[i].Embedding, expected[i].ImagePath);
        });
    }

    [TestMethod]
    public void Columns_that_were_not_asked_for_and_types_that_do_not_fit_are_errors()
    {
        var embedded = Embed(Images);
        using var cursor = embedded.GetRowCursor([embedded.Schema["Embedding"]]);
        Assert.IsTrue(cursor.IsColumnActive(embedded.Schema["Embedding"]));
        Assert.IsFalse(cursor.IsColumnActive(embedded.Schema["Label"]));
        Assert.ThrowsExactly<InvalidOperationException>(() => cursor.GetGetter<ReadOnlyMemory<char>>(embedded.Schema["Label"]));
        Assert.ThrowsExactly<InvalidOperationException>(() => cursor.GetGetter<float>(embedded.Schema["Embedding"]));
        var getter = cursor.GetGetter<VBuffer<float>>(embedded.Schema["Embedding"]);
        VBuffer<float> value = default;
        Assert.ThrowsExactly<InvalidOperationException>(() => getter(ref value), "Before the first row there is no value.");
    }

    private static DataViewRowCursor CursorOver(IDataView embedded) => embedded.GetRowCursor([embedded.Schema["Embedding"]]);

    private sealed class LabelRow
    {
        public string Label { get; set; } = "";
    }

    private sealed class ManyTypesRow
    {
        public string ImagePath { get; set; } = "";

        public int Number { get; set; }

        public string Text { get; set; } = "";

        public bool Flag { get; set; }

        [VectorType(2)]
        public float[] Vector { get; set; } = new float[2];

        public int[] Ragged { get; set; } = [];

        [VectorType(2)]
        public string[] Words { get; set; } = ["", ""];

        [KeyType(7)]
        public uint Key { get; set; }
    }
}
