namespace Microsoft.ML.Transforms.Onnx;

/// <summary>What ONNX Runtime does not tell of a model: the declared types of its inputs and outputs, and the names of slots in it.</summary>
internal sealed class OnnxGraph
{
    private const int ModelGraph = 7;
    private const int GraphNode = 1;
    private const int GraphInput = 11;
    private const int GraphOutput = 12;
    private const int NodeName = 3;
    private const int NodeAttribute = 5;
    private const int AttributeName = 1;
    private const int AttributeStrings = 9;

    private readonly Dictionary<string, OnnxTensorType> _types = [];
    private readonly Dictionary<string, string[]> _slotNames = [];

    private OnnxGraph()
    {
    }

    public static OnnxGraph Read(ReadOnlySpan<byte> model)
    {
        var graph = new OnnxGraph();
        var reader = new ProtoReader(model);
        while (reader.Next())
        {
            if (reader.Field == ModelGraph)
                graph.ReadGraph(reader.Content);
        }

        return graph;
    }

    public OnnxTensorType TypeOf(string name) => _types[name];

    /// <summary>The slot names of a column, null if there are none.</summary>
    public string[] SlotNamesOf(string columnName) => _slotNames.GetValueOrDefault($"mlnet.{columnName}.SlotNames");

    private void ReadGraph(ReadOnlySpan<byte> content)
    {
        var reader = new ProtoReader(content);
        while (reader.Next())
        {
            if (reader.Field == GraphNode)
                ReadNode(reader.Content);
            else if (reader.Field is GraphInput or GraphOutput)
                ReadValue(reader.Content);
        }
    }

    private void ReadValue(ReadOnlySpan<byte> content)
    {
        string name = "";
        OnnxTensorType type = null;
        var reader = new ProtoReader(content);
        while (reader.Next())
        {
            if (reader.Field == 1)
                name = reader.Text;
            else if (reader.Field == 2)
                type = OnnxTensorType.Read(reader.Content);
        }

        _types[name] = type;
    }

    private void ReadNode(ReadOnlySpan<byte> content)
    {
        string name = "";
        string[] keys = null;
        var reader = new ProtoReader(content);
        while (reader.Next())
        {
            if (reader.Field == NodeName)
                name = reader.Text;
            else if (reader.Field == NodeAttribute)
                keys ??= ReadKeys(reader.Content);
        }

        if (keys != null)
            _slotNames.TryAdd(name, keys);
    }

    private static string[] ReadKeys(ReadOnlySpan<byte> content)
    {
        bool isKeys = false;
        var strings = new List<string>();
        var reader = new ProtoReader(content);
        while (reader.Next())
        {
            if (reader.Field == AttributeName)
                isKeys = reader.Text == "keys_strings";
            else if (reader.Field == AttributeStrings)
                strings.Add(reader.Text);
        }

        return isKeys ? [.. strings] : null;
    }
}
