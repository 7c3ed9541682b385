using System.Text;
using Google.Protobuf;

namespace Dependencies.Tests.MicrosoftML;

/// <summary>Writes small ONNX models field by field.</summary>
internal sealed class OnnxFile
{
    public const int Single = 1;
    public const int Int64 = 7;
    public const int Text = 8;

    private readonly List<byte[]> _nodes = [];
    private readonly List<byte[]> _inputs = [];
    private readonly List<byte[]> _outputs = [];
    private readonly List<byte[]> _initializers = [];

    /// <param name="name">The name.</param>
    /// <param name="type">The type of its elements.</param>
    /// <param name="shape">Numbers, or names for what is not known.</param>
    public OnnxFile Input(string name, int type, params object[] shape)
    {
        _inputs.Add(Value(name, type, shape));
        return this;
    }

    public OnnxFile Output(string name, int type, params object[] shape)
    {
        _outputs.Add(Value(name, type, shape));
        return this;
    }

    public OnnxFile Constant(string name, params float[] values)
    {
        _initializers.Add(Message(m =>
        {
            if (values.Length > 1)
                m.Integer(1, values.Length);
            m.Integer(2, Single);
            m.Text(8, name);
            m.Bytes(9, [.. values.SelectMany(BitConverter.GetBytes)]);
        }));
        return this;
    }

    public OnnxFile Node(string operation, string[] inputs, string output) => Node(operation, inputs, output, "", "", []);

    /// <summary>A node that names the slots of a column, as ML.NET's own export writes it.</summary>
    public OnnxFile SlotNames(string column, params string[] names)
    {
        string name = $"mlnet.{column}.SlotNames";
        string output = $"mlnet.{column}.unusedOutput";
        _initializers.Add(Message(m =>
        {
            m.Integer(1, 1);
            m.Integer(2, Text);
            m.Text(6, names[0]);
            m.Text(8, name);
        }));
        Output(output, Int64, 1);
        byte[] keys = Message(m =>
        {
            m.Text(1, "keys_strings");
            foreach (string key in names)
                m.Text(9, key);
            m.Integer(20, 8);
        });
        byte[] values = Message(m =>
        {
            m.Text(1, "values_int64s");
            for (int i = 0; i < names.Length; i++)
                m.Integer(8, i);
            m.Integer(20, 7);
        });
        return Node("LabelEncoder", [name], output, name, "ai.onnx.ml", [keys, values]);
    }

    public byte[] ToBytes() => Message(m =>
    {
        m.Integer(1, 8);
        m.Bytes(7, Message(graph =>
        {
            foreach (byte[] node in _nodes)
                graph.Bytes(1, node);
            graph.Text(2, "graph");
            foreach (byte[] initializer in _initializers)
                graph.Bytes(5, initializer);
            foreach (byte[] input in _inputs)
                graph.Bytes(11, input);
            foreach (byte[] output in _outputs)
                graph.Bytes(12, output);
        }));
        m.Bytes(8, Message(opset => opset.Integer(2, 13)));
        m.Bytes(8, Message(opset =>
        {
            opset.Text(1, "ai.onnx.ml");
            opset.Integer(2, 2);
        }));
    });

    private static byte[] Value(string name, int type, object[] shape) => Message(value =>
    {
        value.Text(1, name);
        value.Bytes(2, Message(typeProto => typeProto.Bytes(1, Message(tensor =>
        {
            tensor.Integer(1, type);
            tensor.Bytes(2, Message(dimensions =>
            {
                foreach (object dimension in shape)
                {
                    dimensions.Bytes(1, Message(d =>
                    {
                        if (dimension is int number)
                            d.Integer(1, number);
                        else
                            d.Text(2, (string)dimension);
                    }));
                }
            }));
        }))));
    });

    private static byte[] Message(Action<Fields> write)
    {
        var fields = new Fields();
        write(fields);
        return fields.ToBytes();
    }

    private OnnxFile Node(string operation, string[] inputs, string output, string name, string domain, byte[][] attributes)
    {
        _nodes.Add(Message(node =>
        {
            foreach (string input in inputs)
                node.Text(1, input);
            node.Text(2, output);
            node.Text(3, name);
            node.Text(4, operation);
            foreach (byte[] attribute in attributes)
                node.Bytes(5, attribute);
            node.Text(7, domain);
        }));
        return this;
    }

    private sealed class Fields
    {
        private readonly MemoryStream _bytes = new();
        private readonly CodedOutputStream _output;

        public Fields() => _output = new CodedOutputStream(_bytes, leaveOpen: true);

        public void Integer(int field, long value)
        {
            _output.WriteTag(field, WireFormat.WireType.Varint);
            _output.WriteInt64(value);
        }

        public void Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

        public void Bytes(int field, byte[] value)
        {
            _output.WriteTag(field, WireFormat.WireType.LengthDelimited);
            _output.WriteBytes(ByteString.CopyFrom(value));
        }

        public byte[] ToBytes()
        {
            _output.Flush();
            return _bytes.ToArray();
        }
    }
}
