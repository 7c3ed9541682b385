using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Smae.Training;

/// <summary>
/// A TensorBoard event file of scalars: records of length, masked CRC-32C, an <c>Event</c> message (tensorboard/compat/proto/event.proto), masked CRC-32C.
/// What has been written is whole after every call, so that TensorBoard can read along and a killed run loses nothing but a last half record.
/// </summary>
internal sealed class EventFile : IDisposable
{
    // Field number and wire type of protocol buffers, as a tag: number << 3 | type (0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes).
    private const byte WallTime = 1 << 3 | 1, Step = 2 << 3, FileVersion = 3 << 3 | 2, Summary = 5 << 3 | 2, SessionLog = 7 << 3 | 2;   // of Event
    private const byte Value = 1 << 3 | 2, Tag = 1 << 3 | 2, SimpleValue = 2 << 3 | 5;   // of Summary and of its Value
    private const byte Status = 1 << 3, Started = 1;   // of SessionLog
    private const uint MaskDelta = 0xA282EAD8;
    private readonly FileStream _stream;

    /// <summary>Makes a new file in a folder; TensorBoard shows all files of a folder as one run.</summary>
    /// <exception cref="IOException">The folder cannot be made or written to.</exception>
    public EventFile(string folder, DateTimeOffset now)
    {
        Directory.CreateDirectory(folder);
        string name = string.Create(CultureInfo.InvariantCulture,
            $"events.out.tfevents.{now.ToUnixTimeSeconds():D10}.smae.{Environment.ProcessId}.{Guid.NewGuid():N}");
        _stream = new FileStream(Path.Combine(folder, name), FileMode.CreateNew, FileAccess.Write, FileShare.Read);
        byte[] version = "brain.Event:2"u8.ToArray();
        Record([WallTime, .. Double(Seconds(now)), FileVersion, .. Bytes(version)]);
    }

    /// <summary>Says that a run begins or goes on at a step: TensorBoard forgets what other files of the folder tell of it and later ones.</summary>
    public void Begin(long step, DateTimeOffset now) =>
        Record([WallTime, .. Double(Seconds(now)), Step, .. Varint((ulong)step), SessionLog, .. Bytes([Status, Started])]);

    /// <summary>Writes numbers of one step.</summary>
    public void Write(long step, DateTimeOffset now, IEnumerable<(string Name, double Value)> scalars)
    {
        var summary = new List<byte>();
        foreach ((string name, double value) in scalars)
        {
            summary.Add(Value);
            summary.AddRange(Bytes([Tag, .. Bytes(Encoding.UTF8.GetBytes(name)), SimpleValue, .. Single((float)value)]));
        }
        Record([WallTime, .. Double(Seconds(now)), Step, .. Varint((ulong)step), Summary, .. Bytes([.. summary])]);
    }

    public void Dispose() => _stream.Dispose();

    /// <summary>A check that may stand in a file whose parts are checked again: rotated and moved, as TensorFlow does.</summary>
    internal static uint Masked(ReadOnlySpan<byte> data) => unchecked(uint.RotateRight(Crc32.Castagnoli.Of(data), 15) + MaskDelta);

    private void Record(byte[] message)
    {
        byte[] record = new byte[8 + 4 + message.Length + 4];
        BinaryPrimitives.WriteInt64LittleEndian(record, message.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(8), Masked(record.AsSpan(0, 8)));
        message.CopyTo(record, 12);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(12 + message.Length), Masked(message));
        _stream.Write(record);
        _stream.Flush();
    }

    private static double Seconds(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).TotalSeconds;

    private static byte[] Bytes(byte[] data) => [.. Varint((ulong)data.Length), .. data];

    private static byte[] Double(double value)
    {
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteDoubleLittleEndian(bytes, value);
        return bytes;
    }

    private static byte[] Single(float value)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
        return bytes;
    }

    private static List<byte> Varint(ulong value)
    {
        List<byte> bytes = [];
        for (; value >= 0x80; value >>= 7) bytes.Add((byte)(value | 0x80));
        bytes.Add((byte)value);
        return bytes;
    }
}
