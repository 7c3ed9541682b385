using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>Stores of more images than their memory budget, and files of images that are kept.</summary>
[TestClass]
public sealed class ImageStoreFileTests : IDisposable
{
    private const int Side = 512, ImageBytes = Side * Side * 4, Count = 13;   // an image is 1 MiB
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("smae-store-");

    private string Kept => Path.Combine(_folder.FullName, "kept.images");

    public void Dispose() => _folder.Delete(recursive: true);

    [TestMethod]
    [DataRow(0, 1)]
    [DataRow(4, 4)]
    [DataRow(5, 5)]
    [DataRow(16, 16)]   // in blocks of 4
    public void ImagesBeyondTheBudgetAreTheSameAndNotInMemory(int budget, int expected)
    {
        using ImageStore plain = Fill(new ImageStore(Side, Side, 4)), store = Fill(new ImageStore(Side, Side, 4, Budget(budget)));
        Assert.AreEqual(expected * (long)ImageBytes, store.MemoryBytes);
        Assert.AreEqual(Math.Max(0, Count - expected) * (long)ImageBytes, store.MappedBytes);
        Assert.AreEqual(0, plain.MappedBytes);
        Parallel.For(0, 4 * Count, i => Assert.IsTrue(plain[i % Count].SequenceEqual(store[i % Count]), $"image {i % Count}"));
        using Tensor one = plain.Batch([12, 0, 5, 12]), other = store.Batch([12, 0, 5, 12]);
        Assert.IsTrue(one.Equals(other));
        Assert.AreEqual(plain.ContentHash(), store.ContentHash());
    }

    [TestMethod]
    public void TheFileIsGoneWithTheStore()
    {
        ImageStore store = Fill(new ImageStore(Side, Side, 4, Budget(2)));
        Assert.IsGreaterThan(0, store.MappedBytes);
        store.Dispose();
        store.Dispose();
        Assert.HasCount(0, _folder.GetFileSystemInfos());
        Assert.ThrowsExactly<ObjectDisposedException>(() => store[0].Length);
    }

    [TestMethod]
    public void AStoreThatNobodyDisposedFreesMemoryAndFile()
    {
        if (!OperatingSystem.IsLinux()) Assert.Inconclusive("What is mapped can be looked at on Linux only.");
        [MethodImpl(MethodImplOptions.NoInlining)]
        int Forget()
        {
            Fill(new ImageStore(Side, Side, 4, Budget(2)));
            return Mapped();
        }

        int Mapped() => File.ReadLines("/proc/self/maps").Count(line => line.Contains(_folder.Name));
        Assert.IsGreaterThan(0, Forget());
        for (int i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        Assert.AreEqual(0, Mapped());
    }

    [TestMethod]
    public void AFolderThatCannotBeWrittenToIsAnErrorThatNamesIt()
    {
        string file = Path.Combine(_folder.FullName, "file");
        File.WriteAllText(file, "");
        using var store = new ImageStore(Side, Side, 4, new ImageCacheOptions { MemoryBudget = 0, Directory = file });
        store.Add();
        StringAssert.Contains(Assert.Throws<IOException>(() => store.Add().Length).Message, file);
    }

    [TestMethod]
    [DataRow(2)]
    [DataRow(13)]
    [DataRow(100)]
    public void AFileThatWasKeptHoldsTheSameImagesAndWhatWasToldOfThem(int budget)
    {
        using ImageStore plain = Fill(new ImageStore(Side, Side, 4));
        using (ImageStore store = Keep(budget))
        {
            CollectionAssert.AreEqual(new[] { Kept }, Directory.GetFiles(_folder.FullName));
            Assert.AreEqual(plain.ContentHash(), store.ContentHash(), "The store goes on.");
            Assert.IsLessThanOrEqualTo(budget * (long)ImageBytes, store.MemoryBytes);
        }
        var (found, footer) = ImageStore.Open(Kept);
        using (found)
        {
            Assert.AreEqual((Side, Side, 4, (long)Count), (found.Height, found.Width, found.Channels, found.Count));
            Assert.AreEqual(("stamp", new CachedProblem(3, "broken")), (footer.Stamp, footer.Broken.Single()));
            Assert.AreEqual(plain.ContentHash(), found.ContentHash());
            Assert.AreEqual(0, found.MemoryBytes);
            Assert.ThrowsExactly<InvalidOperationException>(() => found.Add().Length);
        }
        Assert.IsTrue(File.Exists(Kept));
    }

    [TestMethod]
    public void TornAndForeignFilesAreRefusedByName()
    {
        using (Keep(2))
        {
        }
        byte[] whole = File.ReadAllBytes(Kept);
        foreach (int length in (int[])[0, 10, ImageBytes, whole.Length - 1, whole.Length - 200])
        {
            File.WriteAllBytes(Kept, whole[..length]);
            Refused();
        }
        File.WriteAllBytes(Kept, whole[1..]);   // an image's byte is missing, the end is whole
        Refused();
        File.WriteAllText(Kept, new string('x', 1000));
        Refused();

        void Refused() => StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => ImageStore.Open(Kept)).Message, Kept);
    }

    [TestMethod]
    public void AThousandDamagedFilesAreReadOrRefused()
    {
        using (var store = new ImageStore(4, 4, 3, Budget(2), ImageFile.TryCreate(Kept + ".tmp")))
        {
            for (int i = 0; i < 5; i++) new Random(i).NextBytes(store.Add());
            Assert.IsNull(store.Keep(Kept, "stamp", [new CachedProblem(3, "broken", "path")]));
        }
        byte[] whole = File.ReadAllBytes(Kept);
        var random = new Random(1);
        int read = 0;
        for (int round = 0; round < 1000; round++)
        {
            byte[] damaged = whole[..(round % 10 == 0 ? random.Next(whole.Length) : whole.Length)];
            for (int i = 0; i <= round % 4 && damaged.Length > 0; i++)
                damaged[random.Next(round % 2 == 0 ? 0 : Math.Min(200, damaged.Length - 1), damaged.Length)] =
                    round % 3 == 0 ? (byte)random.Next('0', '9' + 1) : (byte)random.Next(256);
            File.WriteAllBytes(Kept, damaged);
            try
            {
                using ImageStore found = ImageStore.Open(Kept).Store;
                _ = found.ContentHash();
                read++;
            }
            catch (InvalidDataException)
            {
                // as it should be
            }
        }
        Assert.IsGreaterThan(100, read);
    }

    [TestMethod]
    public void AFileThatIsNotCompletedIsDeletedAndOneThatIsBeingWrittenIsLeftAlone()
    {
        string temporary = Kept + ".tmp";
        File.WriteAllText(temporary, "what a killed run left");
        using (ImageStore store = Fill(new ImageStore(Side, Side, 4, Budget(2), ImageFile.TryCreate(temporary))))
        {
            Assert.IsTrue(File.Exists(temporary));
            Assert.IsNull(ImageFile.TryCreate(temporary));
        }
        Assert.HasCount(0, _folder.GetFileSystemInfos());
    }

    [TestMethod]
    public void WhatKeepsAFileFromBeingWrittenIsToldIfItIsNoOtherRun()
    {
        Directory.CreateDirectory(Kept + ".tmp");
        Assert.Throws<Exception>(() => ImageFile.TryCreate(Kept + ".tmp"));
        string file = Path.Combine(_folder.FullName, "file");
        File.WriteAllText(file, "");
        Assert.Throws<IOException>(() => ImageFile.TryCreate(Path.Combine(file, "kept.images")));
        if (!OperatingSystem.IsLinux()) return;
        File.CreateSymbolicLink(file + ".tmp", "/dev/full/none");   // neither there nor held
        Assert.Throws<IOException>(() => ImageFile.TryCreate(file + ".tmp"));
    }

    [TestMethod]
    [DataRow(1)]    // the first write fails at the end
    [DataRow(13)]   // and before
    public void AFullDiskKeepsNoImagesAndEndsNoRunThatMemoryHasRoomFor(int images)
    {
        if (!OperatingSystem.IsLinux()) Assert.Inconclusive("/dev/full is Linux's.");
        string source = Path.Combine(_folder.FullName, "a.png");
        File.WriteAllText(source, "a");
        List<string> warnings = [];
        using var cache = new ImageCache(
            new ImagePreprocessing { Height = Side, Width = Side, Channels = 4, Mean = [0, 0, 0, 0], StandardDeviation = [1, 1, 1, 1] },
            new ImageCacheOptions { Directory = _folder.FullName, MemoryBudget = 16L * ImageBytes }, warning: warnings.Add);
        Assert.IsNull(cache.Find([source]));
        cache.Add(source);
        using ImageStore store = cache.CreateStore(), plain = new(Side, Side, 4);
        string name = FileOf(store)!.Path;
        StreamOf(FileOf(store)!).Dispose();
        StreamOf(FileOf(store)!) = new FileStream("/dev/full", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        for (int i = 0; i < images; i++)
        {
            store.Add().Fill((byte)i);
            plain.Add().Fill((byte)i);
        }
        cache.Complete(store);
        StringAssert.Contains(warnings.Single(), "cannot be kept for the next run");
        StringAssert.Contains(warnings[0], "No space left");
        Assert.AreEqual(plain.ContentHash(), store.ContentHash());
        Assert.IsFalse(Path.Exists(name));

        [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_file")]
        static extern ref ImageFile? FileOf(ImageStore store);

        [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_stream")]
        static extern ref FileStream StreamOf(ImageFile file);
    }

    [TestMethod]
    public void StoresWithoutABudgetShareTheMemoryOfTheProcess()
    {
        var memory = new ImageMemory(10L * ImageBytes);
        var cache = new ImageCacheOptions { Directory = _folder.FullName };
        ImageStore first = Fill(new ImageStore(Side, Side, 4, cache, null, memory));
        using ImageStore second = Fill(new ImageStore(Side, Side, 4, cache, null, memory));
        Assert.AreEqual(10L * ImageBytes, first.MemoryBytes, 2L * ImageBytes);   // in blocks of 2
        Assert.AreEqual(2L * ImageBytes, second.MemoryBytes, "a block is held in any case");
        Assert.AreEqual(first.ContentHash(), second.ContentHash());
        first.Dispose();
        first.Dispose();
        using ImageStore third = Fill(new ImageStore(Side, Side, 4, cache, null, memory)), own = Fill(new ImageStore(Side, Side, 4, Budget(16), null, memory));
        Assert.AreEqual(8L * ImageBytes, third.MemoryBytes);
        Assert.AreEqual(0, own.MappedBytes, "a budget of its own holds");
        using ImageStore fourth = Fill(new ImageStore(Side, Side, 4, cache, null, memory));
        Assert.AreEqual(2L * ImageBytes, fourth.MemoryBytes);
    }

    [TestMethod]
    public void WhatMemoryHasNoRoomForLiesOnDisk()
    {
        if (!OperatingSystem.IsLinux()) Assert.Inconclusive("Folders in memory are known on Linux only.");
        Assert.IsFalse(ImageFile.IsOnDisk("/dev/shm"));
        Assert.IsTrue(ImageFile.IsOnDisk(AppContext.BaseDirectory));
        string? temporary = Environment.GetEnvironmentVariable("TMPDIR");
        Environment.SetEnvironmentVariable("TMPDIR", "/dev/shm");
        try
        {
            Assert.IsFalse(ImageFile.FoldersOnDisk().Any(f => f.StartsWith("/dev/shm", StringComparison.Ordinal)));
            using var file = ImageFile.CreateTemporary(null);
            Assert.AreEqual("/var/tmp", Path.GetDirectoryName(file.Path));
        }
        finally
        {
            Environment.SetEnvironmentVariable("TMPDIR", temporary);
        }
    }

    [TestMethod]
    public void WrongOptionsAreNamed()
    {
        var wrong = new ImageCacheOptions { MemoryBudget = -1, Directory = " " };
        foreach (Action make in (Action[])[() => new ImageStore(2, 2, 3, wrong), wrong.Validate])
        {
            string message = Assert.ThrowsExactly<ArgumentException>(make).Message;
            StringAssert.Contains(message, "MemoryBudget is -1");
            StringAssert.Contains(message, "Directory is blank");
        }
        Assert.IsGreaterThan(1L << 26, ImageMemory.OfProcess.Limit);
    }

    private ImageCacheOptions Budget(int images) => new() { MemoryBudget = images * (long)ImageBytes, Directory = _folder.FullName };

    private ImageStore Keep(int budget)
    {
        ImageStore store = Fill(new ImageStore(Side, Side, 4, Budget(budget), ImageFile.TryCreate(Kept + ".tmp")));
        Assert.IsNull(store.Keep(Kept, "stamp", [new CachedProblem(3, "broken")]));
        return store;
    }

    private static ImageStore Fill(ImageStore store)
    {
        for (int i = 0; i < Count; i++) new Random(i).NextBytes(store.Add());
        return store;
    }
}
