using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dependencies.Tests.MicrosoftML;

[TestClass]
public sealed class CoreTextTests
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly string _path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".txt");

    [TestCleanup]
    public void Delete() => File.Delete(_path);

    [TestMethod]
    public void Fields_become_members()
    {
        File.WriteAllText(_path, "# comment\nName,X,Y,Key\n\"a, \"\"b\"\"\",1.5,2,0\n// comment\nc,,?,9\n\nd\n");
        IDataView data = _ml.Data.LoadFromTextFile<Line>(_path, separatorChar: ',', hasHeader: true, allowQuoting: true);
        Assert.AreEqual("Vector<Single, 2>", data.Schema["Values"].Type.ToString());
        Assert.AreEqual("Key<UInt32, 0-3>", data.Schema["Key"].Type.ToString());
        Line[] lines = [.. _ml.Data.CreateEnumerable<Line>(data, reuseRowObject: false)];
        Assert.HasCount(3, lines);
        Assert.AreEqual("a, \"b\"", lines[0].Name);
        CollectionAssert.AreEqual(new[] { 1.5f, 2 }, lines[0].Values);
        CollectionAssert.AreEqual(new uint[] { 1, 0, 0 }, lines.Select(l => l.Key).ToArray());
        Assert.AreEqual(0, lines[1].Values[0]);
        Assert.IsTrue(float.IsNaN(lines[1].Values[1]));
        Assert.AreEqual("d", lines[2].Name);
    }

    [TestMethod]
    public void Columns_may_be_given_and_lines_may_be_separated_by_tabs()
    {
        File.WriteAllText(_path, "1\t2\t3\n4\t5\t6\n");
        TextLoader loader = _ml.Data.CreateTextLoader([new("A", DataKind.Int32, 0), new("B", DataKind.Single, 1, 2)]);
        IDataView data = loader.Load(_path);
        CollectionAssert.AreEqual(new[] { 1, 4 }, data.GetColumn<int>("A").ToArray());
        CollectionAssert.AreEqual(new[] { 5f, 6 }, data.GetColumn<float[]>("B").Last());
        Assert.IsFalse(data.CanShuffle);
        Assert.IsNull(data.GetRowCount());
    }

    [TestMethod]
    public void A_field_that_is_no_number_is_an_error_for_whole_numbers()
    {
        File.WriteAllText(_path, "1\nx\n");
        IDataView data = _ml.Data.LoadFromTextFile(_path, [new TextLoader.Column("A", DataKind.Int32, 0)]);
        var error = Assert.ThrowsExactly<FormatException>(() => data.GetColumn<int>("A").ToArray());
        StringAssert.Contains(error.Message, "Could not parse value x in line 2, column A");
    }

    [TestMethod]
    public void A_file_must_exist_and_members_must_say_their_field()
    {
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Data.LoadFromTextFile<Line>(_path));
        File.WriteAllText(_path, "1\n");
        Assert.ThrowsExactly<InvalidOperationException>(() => _ml.Data.LoadFromTextFile<CoreRows.Number>(_path));
    }

    private sealed class Line
    {
        [LoadColumn(0)]
        public string Name { get; set; } = "";

        [LoadColumn(1, 2)]
        [VectorType(2)]
        public float[] Values { get; set; } = [];

        [LoadColumn(3)]
        [KeyType(4)]
        public uint Key { get; set; }
    }
}
