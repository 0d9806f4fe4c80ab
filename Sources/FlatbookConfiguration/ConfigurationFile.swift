import FlatbookCore
import Foundation

/// Reads the text of a file, bounded, and says in one message why it cannot.
enum ConfigurationFile {
    /// Room for some ten thousand accounts. The YAML parser takes a hundred bytes of memory and nearly a microsecond for
    /// each byte of a file made of nothing but keys.
    static let maximumBytes = 1024 * 1024

    static func read(_ path: String, problems: Problems) -> String? {
        let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        let attributes = try? FileManager.default.attributesOfItem(atPath: target)
        guard let type = attributes?[.type] as? FileAttributeType else {
            problems.add(path, nil, nil, "does not exist or cannot be reached.", hint: sibling(of: path))
            return nil
        }
        // A pipe or a device could block or never end.
        guard type == .typeRegular else {
            problems.add(path, nil, nil, type == .typeDirectory ? "is a folder, not a file." : "is not a regular file.")
            return nil
        }
        guard let handle = FileHandle(forReadingAtPath: target),
            let bytes = try? handle.read(upToCount: maximumBytes + 1) ?? Data()
        else {
            problems.add(path, nil, nil, "cannot be read.", hint: "Check its permissions.")
            return nil
        }
        guard bytes.count <= maximumBytes else {
            problems.add(path, nil, nil, "is larger than 1 MiB.")
            return nil
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            problems.add(path, invalidLine(bytes), nil, "is not UTF-8 text.")
            return nil
        }
        return text
    }

    /// The accounts files of a folder, by name. Hidden files, such as those of editors, are none of ours.
    static func list(_ directory: String, problems: Problems) -> [String] {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: directory, isDirectory: &isDirectory), isDirectory.boolValue else {
            problems.add(
                directory, nil, nil, "is no folder.", hint: "Name the folder of the accounts files with --accounts.")
            return []
        }
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: directory) else {
            problems.add(directory, nil, nil, "cannot be read.", hint: "Check its permissions.")
            return []
        }
        let files = names.filter { isConfiguration($0) }.sorted()
        if files.isEmpty {
            problems.add(directory, nil, nil, "holds no accounts file (*.yaml, *.yml, *.json).")
        }
        let folder = directory.hasSuffix("/") ? directory : directory + "/"
        return files.map { folder + $0 }
    }

    private static func isConfiguration(_ name: String) -> Bool {
        !name.hasPrefix(".") && [".yaml", ".yml", ".json"].contains { name.hasSuffix($0) }
    }

    private static func sibling(of path: String) -> String? {
        let url = URL(fileURLWithPath: path)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: url.deletingLastPathComponent().path)) ?? []
        return didYouMean(url.lastPathComponent, in: names.filter(isConfiguration).sorted())
    }

    private static func invalidLine(_ bytes: Data) -> Int {
        var line = 1
        for piece in bytes.split(separator: 0x0A, omittingEmptySubsequences: false) {
            if String(validating: piece, as: UTF8.self) == nil { return line }
            line += 1
        }
        return line
    }
}
