using System.Text;

namespace Microsoft.ML.Transforms.Onnx;

/// <summary>Walks the fields of one message in protocol buffers' wire format.</summary>
internal ref struct ProtoReader(ReadOnlySpan<byte> message)
{
    private readonly ReadOnlySpan<byte> _message = message;
    private int _position;

    /// <summary>The number of the current field.</summary>
    public int Field { get; private set; }

    /// <summary>The value of the current field, where it is an integer.</summary>
    public long Integer { get; private set; }

    /// <summary>The content of the current field, where it is a text, bytes or a message.</summary>
    public ReadOnlySpan<byte> Content { get; private set; }

    public readonly string Text => Encoding.UTF8.GetString(Content);

    public bool Next()
    {
        if (_position >= _message.Length)
            return false;
        ulong tag = ReadVarint();
        Field = (int)(tag >> 3);
        Content = default;
        Integer = 0;
        switch (tag & 7)
        {
            case 0:
                Integer = (long)ReadVarint();
                break;
            case 1:
                _position += sizeof(ulong);
                break;
            case 2:
                int length = checked((int)ReadVarint());
                Content = _message.Slice(_position, length);
                _position += length;
                break;
            case 5:
                _position += sizeof(uint);
                break;
            default:
                throw new InvalidDataException("The bytes are no protocol buffer message.");
        }

        return true;
    }

    private ulong ReadVarint()
    {
        ulong value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte b = _message[_position++];
            value |= (ulong)(b & 0x7f) << shift;
            if (b < 0x80)
                return value;
        }
    }
}
