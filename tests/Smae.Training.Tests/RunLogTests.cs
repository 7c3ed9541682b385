using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Smae.Training.Tests;

[TestClass]
public sealed class RunLogTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("smae-runlog-").FullName;

    private string Csv => Path.Combine(_folder, "progress.csv");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    public void ARunFillsTableAndEventFile()
    {
        var passedOn = new List<TrainingProgress>();
        using ImageStore images = TinyModels.Images(24);
        using (var log = new RunLog(_folder, new List(passedOn)))
        {
            MaePretrainResult result = MaePretraining.Run(images, TinyModels.Options with { Epochs = 3, Progress = log });
            result.Model.Dispose();
        }
        string[] lines = File.ReadAllLines(Csv);
        Assert.AreEqual("step,epoch,epoch_ended,loss,learning_rate,images_per_second,elapsed_seconds,held_out_rank_me,held_out_own_crop,held_out_reconstruction",
            lines[0]);
        Assert.HasCount(passedOn.Count + 1, lines);
        for (int i = 0; i < passedOn.Count; i++)
        {
            string[] cells = lines[i + 1].Split(',');
            Assert.AreEqual(passedOn[i].Step, long.Parse(cells[0], CultureInfo.InvariantCulture));
            Assert.AreEqual(passedOn[i].Epoch, int.Parse(cells[1], CultureInfo.InvariantCulture));
            Assert.AreEqual(passedOn[i].EpochEnded ? "1" : "0", cells[2]);
            Assert.AreEqual(passedOn[i].Loss, double.Parse(cells[3], CultureInfo.InvariantCulture));
            Assert.AreEqual(passedOn[i].LearningRate, double.Parse(cells[4], CultureInfo.InvariantCulture));
        }

        string file = Directory.GetFiles(_folder, "events.out.tfevents.*").Single();
        List<Event> events = ReadEvents(file);
        Assert.AreEqual("brain.Event:2", events[0].Version);
        Assert.IsTrue(events[1].Starts);
        Assert.AreEqual(passedOn[0].Step, events[1].Step);
        Assert.HasCount(passedOn.Count + 2, events);
        foreach ((TrainingProgress expected, Event read) in passedOn.Zip(events.Skip(2)))
        {
            Assert.AreEqual(expected.Step, read.Step);
            Assert.AreEqual((float)expected.Loss, read.Scalars["loss"]);
            Assert.AreEqual((float)expected.LearningRate, read.Scalars["learning_rate"]);
            Assert.AreEqual((float)expected.ImagesPerSecond, read.Scalars["images_per_second"]);
            Assert.AreEqual(expected.EpochEnded, read.Scalars.ContainsKey("epoch/loss"));
            Assert.AreEqual(DateTimeOffset.UtcNow.ToUnixTimeSeconds(), read.Time, 600);
        }
    }

    [TestMethod]
    public void ARunThatGoesOnReplacesTheStepsThatItRepeats()
    {
        using (var log = new RunLog(_folder))
            foreach (long step in (long[])[1, 2, 300, 400]) log.Report(Progress(step, loss: 1));
        File.AppendAllText(Csv, "50");   // killed as it wrote
        using (var log = new RunLog(_folder))
            foreach (long step in (long[])[3, 300, 500]) log.Report(Progress(step, loss: 2));
        CollectionAssert.AreEqual((string[])["1:1", "2:1", "3:2", "300:2", "500:2"],
            File.ReadAllLines(Csv).Skip(1).Select(l => l.Split(',')).Select(c => $"{c[0]}:{c[3]}").ToArray());

        string[] files = [.. Directory.GetFiles(_folder, "events.out.tfevents.*").OrderBy(File.GetCreationTimeUtc)];
        Assert.HasCount(2, files);
        Event start = files.Select(ReadEvents).Select(e => e[1]).Single(e => e.Step == 3);
        Assert.IsTrue(start.Starts);   // TensorBoard drops what it had from this step on
    }

    [TestMethod]
    public void ANewLogThatReportsNothingLeavesTheOldTable()
    {
        using (var log = new RunLog(_folder)) log.Report(Progress(1, 1));
        string before = File.ReadAllText(Csv);
        using (new RunLog(_folder)) { }
        Assert.AreEqual(before, File.ReadAllText(Csv));
    }

    [TestMethod]
    public void ATableOfSomethingElseIsNotTouched()
    {
        File.WriteAllText(Csv, "name,age\n");
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => new RunLog(_folder)).Message, Csv);
        Assert.AreEqual("name,age\n", File.ReadAllText(Csv));
    }

    [TestMethod]
    public void AClosedLogRefuses()
    {
        var log = new RunLog(_folder);
        log.Dispose();
        log.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => log.Report(Progress(1, 1)));
    }

    private static TrainingProgress Progress(long step, double loss) => new()
    {
        Epoch = 1, Epochs = 2, Step = step, TotalSteps = 1000, Loss = loss, LearningRate = 1e-3, ImagesPerSecond = 10,
        Elapsed = TimeSpan.FromSeconds(1), Remaining = TimeSpan.Zero, EpochEnded = false,
    };

    private static List<Event> ReadEvents(string path)
    {
        ReadOnlySpan<byte> file = File.ReadAllBytes(path);
        List<Event> events = [];
        while (file.Length > 0)
        {
            int length = (int)BinaryPrimitives.ReadInt64LittleEndian(file);
            Assert.AreEqual(Masked(file[..8]), BinaryPrimitives.ReadUInt32LittleEndian(file[8..]), "check of a length");
            ReadOnlySpan<byte> message = file.Slice(12, length);
            Assert.AreEqual(Masked(message), BinaryPrimitives.ReadUInt32LittleEndian(file[(12 + length)..]), "check of a record");
            events.Add(Event.Parse(message));
            file = file[(16 + length)..];
        }
        return events;

        static uint Masked(ReadOnlySpan<byte> data)
        {
            uint crc = ReportingTests.BitwiseCrc(data, 0x82F63B78);
            return unchecked(((crc >> 15) | (crc << 17)) + 0xA282EAD8);
        }
    }

    private sealed class List(List<TrainingProgress> reports) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => reports.Add(value);
    }

    /// <summary>What a protocol buffer reader makes of an Event of TensorFlow.</summary>
    private sealed class Event
    {
        public double Time { get; private set; }
        public long Step { get; private set; }
        public string? Version { get; private set; }
        public bool Starts { get; private set; }
        public Dictionary<string, float> Scalars { get; } = [];

        public static Event Parse(ReadOnlySpan<byte> message)
        {
            var result = new Event();
            foreach ((int field, byte[] data) in Fields(message))
                switch (field)
                {
                    case 1: result.Time = BinaryPrimitives.ReadDoubleLittleEndian(data); break;
                    case 2: result.Step = BinaryPrimitives.ReadInt64LittleEndian(data); break;
                    case 3: result.Version = Encoding.UTF8.GetString(data); break;
                    case 5:
                        foreach ((_, byte[] value) in Fields(data))
                        {
                            Dictionary<int, byte[]> parts = Fields(value).ToDictionary(f => f.Field, f => f.Data);
                            result.Scalars.Add(Encoding.UTF8.GetString(parts[1]), BinaryPrimitives.ReadSingleLittleEndian(parts[2]));
                        }
                        break;
                    case 7: result.Starts = Fields(data) is [(1, [1, ..])]; break;
                    default: Assert.Fail($"field {field}"); break;
                }
            return result;
        }

        private static List<(int Field, byte[] Data)> Fields(ReadOnlySpan<byte> message)
        {
            List<(int, byte[])> fields = [];
            while (message.Length > 0)
            {
                long tag = Varint(ref message);
                byte[] data;
                switch (tag & 7)
                {
                    case 0: data = BitConverter.GetBytes(Varint(ref message)); break;
                    case 1: data = Take(ref message, 8); break;
                    case 2: data = Take(ref message, (int)Varint(ref message)); break;
                    default: data = Take(ref message, 4); break;
                }
                fields.Add(((int)(tag >> 3), data));
            }
            return fields;
        }

        private static byte[] Take(ref ReadOnlySpan<byte> message, int count)
        {
            byte[] data = message[..count].ToArray();
            message = message[count..];
            return data;
        }

        private static long Varint(ref ReadOnlySpan<byte> message)
        {
            long value = 0;
            for (int shift = 0; ; shift += 7)
            {
                byte next = Take(ref message, 1)[0];
                value |= (long)(next & 0x7F) << shift;
                if (next < 0x80) return value;
            }
        }
    }
}
